/** Stands in for the agents of all machines: sets systemd's states on bound pods, from what it last saw of them. */
import { isTerminal, type Pod, pods, type UnitState } from "../../../src/model/pod.ts";
import type { Store } from "../../../src/store/store.ts";

export interface Habits {
  /** A stop takes this long, perhaps depending on the unit; meanwhile it is deactivating. */
  readonly stopMs?: number | ((unit: string) => number);
  /** Looks at what is wanted only so often: what was wanted in between is not seen. */
  readonly everyMs?: number;
}

const INACTIVE: UnitState = { load: "loaded", active: "inactive", sub: "dead" };
const ACTIVE: UnitState = { load: "loaded", active: "active", sub: "running" };
const STOPPING: UnitState = { load: "loaded", active: "deactivating", sub: "stop-sigterm" };

export class Machines {
  /** `start hello.service a`, `stop hello.service a`, in order. */
  readonly log: string[] = [];
  /** Machines that hear nothing and say nothing. */
  readonly cutOff = new Set<string>();
  readonly #store: Store;
  readonly #stopMs: (unit: string) => number;
  readonly #stopping = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;

  constructor(store: Store, { stopMs = 0, everyMs = 5 }: Habits) {
    this.#store = store;
    this.#stopMs = typeof stopMs === "number" ? () => stopMs : stopMs;
    this.#timer = setInterval(() => {
      this.#round ??= this.#obey().finally(() => {
        this.#round = undefined;
      });
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  /** The service of this unit dies, and has no Restart=. */
  async crash(name: string): Promise<void> {
    const unit: UnitState = { load: "loaded", active: "failed", sub: "failed", result: "exit-code" };
    await this.#store.update((tx) => {
      for (const pod of tx.list(pods, "fleet"))
        if (nameOf(pod) === name) tx.update(pods, withState(pod, unit, "Failed"));
    });
  }

  /** The service of this unit is started by another unit of its machine, not by fleet. */
  async startBySomethingElse(name: string): Promise<void> {
    await this.#store.update((tx) => {
      for (const pod of tx.list(pods, "fleet"))
        if (nameOf(pod) === name) tx.update(pods, withState(pod, ACTIVE, "Running"));
    });
  }

  async #obey(): Promise<void> {
    await this.#store.update((tx) => {
      for (const pod of tx.list(pods, "fleet")) {
        if (pod.spec.nodeName === undefined || isTerminal(pod) || this.cutOff.has(pod.spec.nodeName)) continue;
        const after = this.#next(pod);
        if (after === "gone") tx.remove(pods, `fleet/${pod.metadata.name}`);
        else if (after !== undefined) tx.update(pods, after);
      }
    });
  }

  #next(pod: Pod): Pod | "gone" | undefined {
    const state = stateOf(pod);
    const isLeaving = pod.metadata.deletionTimestamp !== undefined;
    const asked = pod.spec.containers[0]?.unit?.start !== false;
    const { uid } = pod.metadata;
    if (state?.active === "deactivating") {
      if (performance.now() < (this.#stopping.get(uid) ?? 0)) return undefined;
      this.#log("stop", pod);
      return isLeaving ? "gone" : withState(pod, INACTIVE, "Running");
    }
    const startedByFleet = this.#startedByFleet.has(uid);
    if (state?.active === "active" && (isLeaving || (!asked && startedByFleet))) {
      this.#stopping.set(uid, performance.now() + this.#stopMs(nameOf(pod) ?? ""));
      this.#startedByFleet.delete(uid);
      return withState(pod, STOPPING, "Running");
    }
    if (isLeaving) return "gone";
    if (asked && state?.active !== "active") {
      this.#log("start", pod);
      this.#startedByFleet.add(uid);
      return withState(pod, ACTIVE, "Running");
    }
    return state === undefined ? withState(pod, INACTIVE, "Running") : undefined;
  }

  readonly #startedByFleet = new Set<string>();

  #log(what: string, pod: Pod): void {
    this.log.push(`${what} ${nameOf(pod)} ${pod.spec.nodeName}`);
  }
}

function nameOf(pod: Pod): string | undefined {
  return pod.spec.containers[0]?.unit?.name;
}

function stateOf(pod: Pod): UnitState | undefined {
  return pod.status.containerStatuses?.[0]?.unit;
}

function withState(pod: Pod, unit: UnitState, phase: "Running" | "Failed"): Pod {
  const status = { name: "unit", state: {}, ready: true, restartCount: 0, image: "", imageID: "", unit };
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== "Ready");
  const ready = { type: "Ready", status: unit.active === "active" ? "True" : "False" } as const;
  return { ...pod, status: { ...pod.status, phase, conditions: [...others, ready], containerStatuses: [status] } };
}
