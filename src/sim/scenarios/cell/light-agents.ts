/**
 * The nodes of a very large cell. They are NOT the production agents: all of them share one watch of the store, report
 * every pod as running a little after it was bound, and beat in groups. What is measured is the control plane, without the
 * dispatcher: reports and heartbeats come by a call, not by frames.
 */
import type { PodReport } from "../../../agent/control.ts";
import { nodeReport } from "../../../agent/node-report.ts";
import { StoreControl } from "../../../dispatcher/store-control.ts";
import type { LeaseDesk } from "../../../model/heartbeat.ts";
import { keyOf } from "../../../model/meta.ts";
import { isTerminal, type Pod, type PodStatus, pods } from "../../../model/pod.ts";
import { type Clock, rfc3339 } from "../../../seams/clock.ts";
import type { Store } from "../../../store/store.ts";
import type { Change } from "../../../store/transaction.ts";
import type { WorldSize } from "../../contract.ts";
import { followPods } from "./follow-pods.ts";

const BEAT_MS = 1_000;
/** Beats and reports go out ten times a second, a tenth of the nodes each. */
const SLOTS = 10;
/** From being bound to running, and from being told to end to being gone. */
const TAKES_MS = 300;

type NodeSize = WorldSize["nodes"][number];

export class LightAgents {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #desk: LeaseDesk;
  readonly #control: StoreControl;
  readonly #nodes: readonly NodeSize[];
  readonly #silent = new Set<string>();
  readonly #stopping = new AbortController();
  /** Work to report, by the moment at which it is done. */
  readonly #due = new Map<string, { readonly atMs: number; readonly pod: Pod }>();
  #sequence = 0;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly desk: LeaseDesk;
    readonly nodes: readonly NodeSize[];
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#desk = options.desk;
    this.#nodes = options.nodes;
    this.#control = new StoreControl(options.store, options.desk);
  }

  async start(): Promise<void> {
    await Promise.all(this.#nodes.map((node, at) => this.#control.registerNode(draftOf(node, at, this.#clock.now()))));
    const all = (list: readonly Pod[]) => {
      for (const pod of list) this.#take(pod);
    };
    const changes = (batch: readonly Change[]) => {
      for (const { type, object } of batch) if (type !== "removed") this.#take(object as Pod);
    };
    void followPods(this.#store, { all, changes }, this.#stopping.signal);
    this.#tick();
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** From now on nothing is heard of these, and they hear nothing. */
  silence(names: Iterable<string>): void {
    for (const name of names) this.#silent.add(name);
  }

  /** They are heard again, with everything that runs on them. */
  async rejoin(names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.#silent.delete(name);
      for (const pod of this.#store.by(pods, "node", name)) this.#take(pod);
    }
  }

  #take(pod: Pod): void {
    const { nodeName } = pod.spec;
    if (nodeName === undefined || isTerminal(pod) || this.#silent.has(nodeName)) return;
    const isToGo = pod.metadata.deletionTimestamp !== undefined;
    const isKnown = pod.status.phase === "Running" && pod.status.conditions?.some(isReadyTrue);
    if (isKnown && !isToGo) return;
    this.#due.set(pod.metadata.uid, { atMs: this.#clock.monotonic() + TAKES_MS, pod });
  }

  readonly #tick = (): void => {
    if (this.#stopping.signal.aborted) return;
    this.#clock.setTimer(BEAT_MS / SLOTS, this.#tick);
    this.#sequence++;
    for (let at = this.#sequence % SLOTS; at < this.#nodes.length; at += SLOTS) this.#beat(this.#nodes[at]?.name ?? "");
    const nowMs = this.#clock.monotonic();
    const done = new Map<string, PodReport[]>();
    for (const [uid, { atMs, pod }] of this.#due) {
      if (atMs > nowMs) break;
      this.#due.delete(uid);
      const { nodeName = "" } = pod.spec;
      if (this.#silent.has(nodeName)) continue;
      const reports = done.get(nodeName) ?? [];
      reports.push(reportOf(pod, this.#clock.now()));
      done.set(nodeName, reports);
    }
    // Each node tells of its own pods, as real ones do.
    for (const reports of done.values()) void this.#control.report(reports, []);
  };

  #beat(node: string): void {
    if (this.#silent.has(node)) return;
    const sequence = Math.ceil(this.#sequence / SLOTS);
    this.#desk.beat({ node, bootId: `boot ${node}`, session: `session ${node}`, sequence, health: "ok" });
  }
}

function isReadyTrue({ type, status }: { readonly type: string; readonly status: string }): boolean {
  return type === "Ready" && status === "True";
}

function reportOf(pod: Pod, wallMs: number): PodReport {
  const about = { key: keyOf(pod), uid: pod.metadata.uid };
  return { ...about, status: pod.metadata.deletionTimestamp === undefined ? running(pod, wallMs) : "gone" };
}

function running(pod: Pod, wallMs: number): PodStatus {
  const lastTransitionTime = rfc3339(wallMs);
  const condition = (type: string) => ({ type, status: "True", lastTransitionTime }) as const;
  return {
    phase: "Running",
    conditions: ["Initialized", "Ready", "ContainersReady"].map(condition),
    startTime: lastTransitionTime,
    containerStatuses: pod.spec.containers.map(({ name, image = "" }) => ({
      ...{ name, image, imageID: image, ready: true, started: true, restartCount: 0 },
      state: { running: { startedAt: lastTransitionTime } },
    })),
  };
}

function draftOf({ name, zone, cpuMillis, memoryBytes }: NodeSize, at: number, wallMs: number) {
  const host = {
    ...{ cpuMillis, memoryBytes, memoryAvailableBytes: memoryBytes, diskBytes: 1e12, diskFreeBytes: 1e12 },
    ...{ machineId: at.toString(16).padStart(32, "0"), bootId: `boot ${name}` },
    ...{ kernelVersion: "6.1", osImage: "simulated", architecture: "amd64" },
  };
  const labels = { "topology.kubernetes.io/zone": zone };
  const hostAddress = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  const options = { nodeName: name, labels, hostAddress, version: "simulated" };
  return nodeReport(options, host, { docker: { ready: true, version: "simulated" } }, wallMs);
}
