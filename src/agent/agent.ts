/**
 * The node's side of the control plane: takes what is assigned to this node, has one worker per pod carry it out with
 * the drivers, and reports what it sees. It keeps its own record of what was asked for and goes by it whenever the
 * control plane is away. What runs is found by looking, and is stopped only when somebody said so.
 */

import type { Goodbye } from "../model/heartbeat.ts";
import type { Draft } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import { isOnLostNode } from "../model/node-state.ts";
import type { Pod } from "../model/pod.ts";
import type { NodeAccess } from "../model/streams.ts";
import { AdmissionDesk } from "../scheduling/fit/admission-desk.ts";
import type { AgentOptions } from "./agent-options.ts";
import { AssignedPods } from "./assigned-pods.ts";
import { DriverViews } from "./driver-views.ts";
import { Fence } from "./fence.ts";
import { Guard } from "./guard.ts";
import { HealthWatch } from "./heartbeat/health-watch.ts";
import type { HeartbeatNews } from "./heartbeat/heartbeat-loop.ts";
import { type Heartbeats, OwnHeartbeats } from "./heartbeat/heartbeats.ts";
import { HostLooks } from "./host-looks.ts";
import { LastHeard } from "./last-heard.ts";
import { termsOf } from "./lease-terms.ts";
import type { PodRecord } from "./local-record.ts";
import { AgentAccess } from "./node-access.ts";
import { NodeRegistration } from "./node-registration.ts";
import { PodWorker } from "./pod-worker.ts";
import { PodWorkers } from "./pod-workers.ts";
import { type RemovalProgress, removeEverything } from "./remove-everything.ts";
import { Reporter } from "./reporter.ts";
import { Strangers } from "./strangers.ts";
import { leaveNetwork, sayGoodbye } from "./taking-leave.ts";
import { WAITS_FOR_CONFIRM } from "./unlisted.ts";
import type { WorkerHost } from "./worker-host.ts";
import { workerHost } from "./worker-host-of-agent.ts";

export class Agent {
  readonly #options: AgentOptions;
  readonly #workers = new PodWorkers();
  readonly #desk = new AdmissionDesk();
  readonly #views: DriverViews;
  readonly #reporter: Reporter;
  readonly #registration: NodeRegistration;
  readonly #strangers: Strangers;
  readonly #assigned: AssignedPods;
  readonly #looks: HostLooks;
  readonly #stopping = new AbortController();
  readonly #heartbeats: Heartbeats;
  readonly #lastHeard: LastHeard;
  readonly #guard: Guard;
  readonly #health: HealthWatch;
  readonly #session: string;
  #fence: Fence | undefined;
  #host: WorkerHost | undefined;

  constructor(options: AgentOptions) {
    const { control, clock, log, drivers, random } = options;
    const workers = this.#workers;
    this.#options = options;
    this.#lastHeard = new LastHeard(clock);
    this.#reporter = new Reporter(control, clock, log, (uid) => this.#gone(uid));
    this.#registration = new NodeRegistration(
      options,
      () => this.#views.reports,
      (node) => this.#desk.setNode(node),
    );
    this.#strangers = new Strangers({
      ...options,
      isKnown: (uid) => workers.has(uid),
      maySweep: () => this.#assigned.isAllKnown,
    });
    this.#views = new DriverViews({ drivers, clock, log, workers, strangers: this.#strangers });
    this.#assigned = this.#assignedPods();
    this.#looks = new HostLooks({
      ...{ clock, log, stopping: this.#stopping.signal, views: this.#views, registration: this.#registration },
      looked: () => this.#looked(),
    });
    this.#session = random.uuid();
    this.#heartbeats = options.heartbeats ?? new OwnHeartbeats(control, clock);
    this.#guard = new Guard({
      ...{ clock, log, drivers },
      exclusiveRuns: () => workers.exclusive.flatMap((worker) => worker.runs),
      lease: () => this.#fence?.lease,
      cannot: (words) => this.#registration.noteUnguarded(words),
    });
    this.#health = new HealthWatch({
      ...{ ...options, heartbeats: this.#heartbeats },
      look: () => this.#views.describe(),
      driversAtMs: () => this.#views.atMs,
    });
  }

  /** Logs, commands and usage of the pods on this node. */
  get access(): NodeAccess {
    return new AgentAccess((uid) => this.#workers.of(uid), this.#options.clock, this.#options.answerNetwork);
  }

  /** The node as registered last. */
  get node(): Draft<Node> | undefined {
    return this.#registration.node;
  }

  /** The pods on this node with the status the agent gives them. */
  get pods(): readonly Pod[] {
    return this.#workers.pods;
  }

  /** Goes on with what the local record says, finds what runs, and only then asks the control plane. */
  async start(): Promise<void> {
    const { host, record, nodeName } = this.#options;
    const { bootId } = await host.read();
    this.#host = this.#workerHost(bootId);
    const records = await record.load();
    this.#fence = this.#fenceFor(records);
    for (const known of records) this.#add(known.pod, known);
    this.#heartbeats.start({ node: nodeName, bootId, session: this.#session }, (news) => this.#heard(news));
    this.#views.watch(this.#stopping.signal);
    await this.#looks.first();
    this.#options.network?.watch?.(() => {
      this.#assigned.sayUnlisted();
      void this.#registration.refresh();
    });
    for (const worker of this.#workers.all) void worker.begin();
    this.#assigned.ask(0);
    this.#health.start();
    this.#options.log.info("agent started", { node: nodeName, pods: this.#workers.size, bootId });
    this.#looks.begin();
  }

  /** Says that it goes away, and why, and ends, leaving everything as it runs. `down`: when nobody is sent to what runs here any more. */
  async stop(why?: Goodbye["why"]): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#quiet();
    // What the cluster makes of that is not answered back.
    if (why === "down") this.#assigned.stopAsking("taken down");
    const own = { session: this.#session, lastHeard: this.#lastHeard, guard: this.#guard };
    if (this.#fence !== undefined) await sayGoodbye(why, { ...this.#options, ...own });
    if (why === "down") await leaveNetwork(this.pods, this.#options);
    await this.#end();
  }

  /** Stops and removes everything that this node's drivers mark as ours, and nothing else. For `styr down`; the agent is over after it. */
  async removeEverything(
    progress: (progress: RemovalProgress) => void = () => {},
    mostGraceMs = 10_000,
  ): Promise<{ readonly failures: number }> {
    this.#quiet();
    await this.#end();
    return removeEverything(this.#options, progress, mostGraceMs);
  }

  /** The host's address is another: the node says so, and so do the pods that have it. */
  readdressed(): void {
    void this.#registration.refresh();
    this.#workers.wake();
  }

  /** No sign of life is sent after the goodbye. */
  #quiet(): void {
    this.#heartbeats.stop();
    this.#health.stop();
  }

  async #end(): Promise<void> {
    this.#fence?.stop();
    this.#stopping.abort(new Error("the agent stops"));
    this.#assigned.stopAsking("the agent stops");
    this.#reporter.stop();
    await this.#workers.detach();
  }

  #assignedPods(): AssignedPods {
    return new AssignedPods({
      ...{ ...this.#options, workers: this.#workers, stopping: this.#stopping.signal },
      ...{ strangers: this.#strangers, lastHeard: this.#lastHeard, registration: this.#registration },
      add: (pod) => this.#add(pod),
      heldBack: (pod) => this.#host?.events.warning(pod, "HeldByRestore", WAITS_FOR_CONFIRM),
      told: (ticket) => this.#told(ticket),
    });
  }

  #workerHost(bootId: string): WorkerHost {
    const parts = { desk: this.#desk, registration: this.#registration, reporter: this.#reporter, views: this.#views };
    const lease = { guard: this.#guard, lastHeard: this.#lastHeard, fence: () => this.#fence?.word };
    return workerHost(this.#options, bootId, { ...parts, ...lease, gone: (uid) => this.#gone(uid) });
  }

  #fenceFor(records: readonly PodRecord[]): Fence {
    const { clock } = this.#options;
    const changed = () => {
      for (const worker of this.#workers.exclusive) worker.wake();
    };
    // Not in the middle of a pod's turn.
    const ask = (ticket: number) => void clock.setTimer(0, () => this.#assigned.askAgain(ticket));
    return new Fence({ clock, changed, ask }, termsOf(records));
  }

  #heard(news: HeartbeatNews): void {
    if (this.#stopping.signal.aborted) return;
    const { isBack, isLate, isGap } = this.#lastHeard.note(news);
    if (!news.known) this.#registration.again();
    if (isBack) this.#answerBack();
    if (isLate) this.#hurry();
    this.#fence?.heard(news);
    this.#guard.renew();
    // Servers that say that nobody leads do not say who is gone either.
    if (news.outcome !== "refused") this.#options.gate?.heardControl?.(this.#lastHeard.heartbeatMs);
    if (isGap && this.#assigned.isTold) this.#assigned.askAgain();
  }

  /** To what was said of this node's pods while it was not heard. */
  #answerBack(): void {
    for (const worker of this.#workers.all) if (isOnLostNode(worker.pod)) worker.compare(worker.pod);
  }

  #hurry(): void {
    this.#reporter.hurry();
    this.#registration.hurry();
  }

  #told(ticket: number): void {
    this.#hurry();
    this.#fence?.told(ticket);
    void this.#strangers.sweep();
  }

  #add(pod: Pod, record?: PodRecord): PodWorker {
    const worker = new PodWorker(this.#host as WorkerHost, pod, record);
    this.#workers.add(worker);
    for (const run of this.#strangers.take(pod.metadata.uid)) worker.observe(run);
    return worker;
  }

  #gone(uid: string): void {
    if (!this.#workers.remove(uid)) return;
    this.#desk.free(uid);
    this.#assigned.forget(uid);
    this.#reporter.forget(uid);
    this.#host?.events.forget(uid);
    this.#options.record.remove(uid).catch((error) => {
      this.#options.log.warn("a pod's local record could not be removed", { pod: uid, why: String(error) });
    });
  }

  #looked(): void {
    void this.#strangers.sweep();
    this.#assigned.sayUnlisted();
  }
}
