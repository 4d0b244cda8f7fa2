import { isOnLostNode } from "../model/node-state.ts";
import type { Pod } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Assignments, Control } from "./control.ts";
import { EmptyDoubt } from "./empty-doubt.ts";
import type { LastHeard } from "./last-heard.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { NodeRegistration } from "./node-registration.ts";
import type { PodWorker } from "./pod-worker.ts";
import type { PodWorkers } from "./pod-workers.ts";
import type { Strangers } from "./strangers.ts";
import { Unlisted } from "./unlisted.ts";

export interface AssignedPodsHost {
  readonly control: Pick<Control, "watchPods">;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly network?: NodeNetwork;
  readonly workers: PodWorkers;
  readonly strangers: Strangers;
  readonly lastHeard: LastHeard;
  readonly registration: NodeRegistration;
  /** The end of the agent. */
  readonly stopping: AbortSignal;
  /** A worker for a pod that is new here. */
  add(pod: Pod): PodWorker;
  /** It is not begun before somebody confirms what was restored. */
  heldBack(pod: Pod): void;
  /** All that is assigned has been said, as asked with this ticket, and acted upon. */
  told(ticket: number): void;
}

/**
 * What the control plane says is assigned to this node, and what has to go or to wait for that. It is asked again where an
 * answer may have been missed or is not to be believed at once; only an answer to the newest asking counts.
 */
export class AssignedPods {
  readonly #host: AssignedPodsHost;
  readonly #unlisted = new Unlisted();
  readonly #doubt: EmptyDoubt;
  #asking = new AbortController();
  #ticket = 0;
  #isTold = false;

  constructor(host: AssignedPodsHost) {
    this.#host = host;
    this.#doubt = new EmptyDoubt(host, () => this.askAgain());
  }

  /** Whether the control plane has said, since the start, what is assigned. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** What belongs to no pod that is assigned, or runs here, is wanted by nobody. */
  get isAllKnown(): boolean {
    return this.#isTold && !this.#unlisted.isHeld;
  }

  /** `ticket`: of the fence, which learns when the answer to this asking is there. */
  ask(ticket: number): void {
    const { control, nodeName } = this.#host;
    this.#ticket = ticket;
    const asking = new AbortController();
    this.#asking = asking;
    const listener = (assignments: Assignments) => {
      if (!asking.signal.aborted) this.#assigned(assignments, ticket);
    };
    control.watchPods(nodeName, listener, asking.signal);
  }

  askAgain(ticket = this.#ticket): void {
    if (this.#host.stopping.aborted) return;
    this.stopAsking("asking again");
    this.ask(ticket);
  }

  stopAsking(why: string): void {
    this.#asking.abort(new Error(why));
  }

  /** Nothing is left of it here. */
  forget(uid: string): void {
    this.#unlisted.forget(uid);
  }

  /** Tells what goes on here and is not listed, if that is another. */
  sayUnlisted(): void {
    const { registration, strangers, network } = this.#host;
    registration.noteUnlisted(this.#unlisted.report(strangers.pods, network?.unlisted));
  }

  #assigned(assignments: Assignments, ticket: number): void {
    if (this.#host.stopping.aborted) return;
    if (assignments.type === "changed") {
      for (const pod of assignments.pods) this.#take(pod, "changed");
      for (const { uid } of assignments.removed) this.#removed(uid);
      this.sayUnlisted();
      return;
    }
    const isHeld = assignments.keepsUnknown === true;
    if (!isHeld && this.#doubt.isDoubtful(assignments.pods.length, this.#host.workers.holding)) return;
    this.#unlisted.begin(isHeld);
    for (const pod of assignments.pods) this.#take(pod, "all");
    const assigned = new Set(assignments.pods.map(({ metadata }) => metadata.uid));
    for (const worker of this.#host.workers.all) if (!assigned.has(worker.pod.metadata.uid)) this.#leaveOrKeep(worker);
    this.#isTold = true;
    this.sayUnlisted();
    this.#host.told(ticket);
  }

  #take(pod: Pod, type: Assignments["type"]): void {
    const worker = this.#host.workers.of(pod.metadata.uid);
    if (worker === undefined) {
      if (this.#unlisted.mustWait(pod)) this.#host.heldBack(pod);
      else void this.#host.add(pod).begin();
    } else if (mayAnswerBack(type, pod, this.#host.lastHeard.isHeard)) worker.compare(pod);
    else worker.assign(pod);
  }

  #removed(uid: string): void {
    this.#host.workers.of(uid)?.leave();
    this.#unlisted.forget(uid);
  }

  #leaveOrKeep(worker: PodWorker): void {
    if (this.#unlisted.isHeld) this.#unlisted.keep(worker.pod);
    else worker.leave();
  }
}

/**
 * Whether a status that is not this agent's last word is answered with it. A lost node's mark may be written when the node is
 * back already and has said how its pods are. Before the control plane has heard that the node lives, it would only write
 * it again.
 */
export function mayAnswerBack(type: Assignments["type"], pod: Pod, isHeard: boolean): boolean {
  return isOnLostNode(pod) ? isHeard : type === "all";
}
