/** A node for tests: an agent on virtual time, a driver whose runs outlive it, and a control plane that can be away. */

import assert from "node:assert/strict";
import { Agent } from "../../src/agent/agent.ts";
import type { AgentOptions } from "../../src/agent/agent-options.ts";
import type { Assignments, Control, NodeEvent, PodReport } from "../../src/agent/control.ts";
import { MemoryRecord } from "../../src/agent/local-record.ts";
import type { HostReading, NodeHost } from "../../src/agent/node-host.ts";
import type { Volumes } from "../../src/agent/volumes.ts";
import {
  type ContainerRun,
  type Driver,
  DriverError,
  type ObservedRun,
  type RunRef,
} from "../../src/drivers/driver.ts";
import type { Goodbye, Heartbeat, LeaseTerms } from "../../src/model/heartbeat.ts";
import type { Draft } from "../../src/model/meta.ts";
import type { Node } from "../../src/model/node.ts";
import type { Container, DriverName, Pod, PodSpec, PodStatus } from "../../src/model/pod.ts";
import { LinkError } from "../../src/seams/link.ts";
import { silentLog } from "../../src/seams/log.ts";
import { ManualClock } from "../../src/seams/manual-clock.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import { type HttpProbe, type Transport, TransportError } from "../../src/seams/transport.ts";

const keyOf = ({ podUid, container, attempt }: RunRef) => `${podUid}/${container}/${attempt}`;

/** Runs are entries of a map. What they do is told by the test: `exit`, `breakStart`, `breakPrepare`. */
class StageDriver implements Driver {
  readonly name: DriverName;
  readonly runs = new Map<string, ObservedRun>();
  readonly asked: string[] = [];
  readonly specs: ContainerRun[] = [];
  readonly released: string[] = [];
  /** Second attempts that were started beside a running one: there must be none. */
  readonly doubled: string[] = [];
  readonly prepareFailures = new Map<string, DriverError>();
  readonly startFailures = new Map<string, DriverError>();
  readonly probeAnswers = new Map<string, { exitCode: number; output: string }>();
  ready = true;
  /** Why pods get no network. */
  network: string | undefined;
  listFails = false;
  /** Runs that do not end when asked to: only after their grace. */
  stubborn = new Set<string>();
  prepareMs = 0;
  /** Pulls that were called off. */
  abandoned = 0;
  readonly #clock: ManualClock;
  readonly #listeners = new Set<(change: ObservedRun | "lost") => void>();
  readonly #homes = new Set<string>();

  constructor(clock: ManualClock, name: DriverName = "fake") {
    this.#clock = clock;
    this.name = name;
  }

  describe() {
    if (!this.ready) return Promise.resolve({ ready: false, reason: "no engine answers on the socket" });
    return Promise.resolve({ ready: true, ...(this.network === undefined ? {} : { network: this.network }) });
  }

  list(): Promise<readonly ObservedRun[]> {
    this.#mustBeReady();
    if (this.listFails) return Promise.reject(new DriverError("cannot list", { temporary: true, reason: "Lost" }));
    return Promise.resolve([...this.runs.values()]);
  }

  async prepare(
    run: ContainerRun,
    options: { readonly progress?: (words: string) => void; readonly signal?: AbortSignal },
  ) {
    this.asked.push(`prepare ${keyOf(run.ref)}`);
    if (this.prepareMs > 0) {
      options.progress?.("pulling 1 of 2");
      await this.#clock.sleep(this.prepareMs, options.signal).catch((error) => {
        this.abandoned++;
        throw error;
      });
    }
    const failure = this.prepareFailures.get(run.spec.image ?? "");
    if (failure) throw failure;
  }

  async start(run: ContainerRun): Promise<ObservedRun> {
    this.#mustBeReady();
    await Promise.resolve();
    this.asked.push(`start ${keyOf(run.ref)}`);
    this.specs.push(run);
    const failure = this.startFailures.get(run.ref.container);
    if (failure) throw failure;
    const key = keyOf(run.ref);
    const present = this.runs.get(key);
    const loadOnly = run.spec.unit?.start === false;
    if (present && loadOnly) return this.#say({ ...present, state: "created" });
    if (present && (present.state !== "created" || loadOnly)) return present;
    const doubled = [...this.runs.values()].find(
      (other) =>
        other.state === "running" && other.ref.podUid === run.ref.podUid && other.ref.container === run.ref.container,
    );
    if (doubled) this.doubled.push(`${key} was started while ${doubled.id} runs`);
    this.#homes.add(run.ref.podUid);
    const id = `${this.name}://${key}`;
    const address = run.pod.address ?? (run.spec.docker?.network === "theirs" ? "172.20.0.5" : undefined);
    if (loadOnly) return this.#say({ ref: run.ref, driver: this.name, id, state: "created" });
    return this.#say({
      ref: run.ref,
      driver: this.name,
      id,
      state: "running",
      startedAtMs: this.#clock.now(),
      ...(run.spec.image === undefined ? {} : { image: run.spec.image, imageId: `id of ${run.spec.image}` }),
      ...(address === undefined ? {} : { address }),
    });
  }

  async stop(ref: RunRef, { graceMs }: { readonly graceMs: number }) {
    this.#mustBeReady();
    this.asked.push(`stop ${keyOf(ref)}`);
    if (this.stubborn.has(ref.container)) await this.#clock.sleep(graceMs);
    if (this.runs.get(keyOf(ref))?.state === "running") this.exit(ref, this.stubborn.has(ref.container) ? 137 : 143);
  }

  async remove(ref: RunRef) {
    this.#mustBeReady();
    await Promise.resolve();
    this.asked.push(`remove ${keyOf(ref)}`);
    this.runs.delete(keyOf(ref));
  }

  async release(podUid: string) {
    this.#mustBeReady();
    await Promise.resolve();
    this.released.push(podUid);
    this.#homes.delete(podUid);
  }

  pods(): Promise<readonly string[]> {
    return Promise.resolve([...this.#homes]);
  }

  watch(listener: (change: ObservedRun | "lost") => void, signal: AbortSignal) {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  probe(_ref: RunRef, command: readonly string[]) {
    return Promise.resolve(this.probeAnswers.get(command.join(" ")) ?? { exitCode: 0, output: "" });
  }

  usage() {
    return Promise.resolve({ cpuMillis: 5, memoryBytes: 1024 });
  }

  async *logs(ref: RunRef) {
    await Promise.resolve();
    yield { stream: "stdout" as const, data: new TextEncoder().encode(`output of ${keyOf(ref)}`) };
  }

  exit(ref: RunRef, exitCode: number): void {
    const run = this.runs.get(keyOf(ref));
    assert(run, `no run ${keyOf(ref)}`);
    this.#say({ ...run, state: "exited", exitCode, finishedAtMs: this.#clock.now() });
  }

  /** The machine goes down: nothing runs any more, and nobody saw how it ended. */
  powerCut(): void {
    this.runs.clear();
    this.#homes.clear();
    this.#listeners.clear();
  }

  lose(): void {
    for (const listener of [...this.#listeners]) listener("lost");
  }

  running(container?: string): readonly ObservedRun[] {
    return [...this.runs.values()].filter(
      (run) => run.state === "running" && (!container || run.ref.container === container),
    );
  }

  #say(run: ObservedRun): ObservedRun {
    this.runs.set(keyOf(run.ref), run);
    for (const listener of [...this.#listeners]) listener(run);
    return run;
  }

  #mustBeReady() {
    if (!this.ready)
      throw new DriverError("no engine answers on the socket", { temporary: true, reason: "EngineAway" });
  }
}

/** Holds what is assigned and what was reported; `away` makes every call fail. */
class StageControl implements Control {
  away = false;
  readonly pods = new Map<string, Pod>();
  readonly statuses = new Map<string, PodStatus | "gone">();
  readonly history: PodReport[] = [];
  /** Statuses that others than the agent have written since. */
  readonly written = new Map<string, PodStatus>();
  readonly events: NodeEvent[] = [];
  readonly values = new Map<string, Readonly<Record<string, string>>>();
  node: Draft<Node> | undefined;
  registrations = 0;
  reports = 0;
  #listener: ((assignments: Assignments) => void) | undefined;

  registerNode(node: Draft<Node>): Promise<void> {
    if (this.away) return Promise.reject(new Error("the control plane is away"));
    this.node = node;
    this.registrations++;
    return Promise.resolve();
  }

  /** The store is one restored from a backup, and not confirmed. */
  keepsUnknown = false;
  /** What heartbeats meet: with `away` they meet silence all the same. */
  lease: "renewed" | "withheld" | "refused" | "silent" = "renewed";
  terms: LeaseTerms = { heartbeatMs: 1_000 };
  known = true;
  /** Goodbyes meet silence. */
  isDeaf = false;
  readonly beats: Heartbeat[] = [];
  readonly goodbyes: Goodbye[] = [];

  heartbeat(beat: Heartbeat): ReturnType<Control["heartbeat"]> {
    this.beats.push(beat);
    if (this.lease === "refused") return Promise.reject(new LinkError("connection refused", true));
    if (this.away || this.lease === "silent") return Promise.reject(new LinkError("no answer", false));
    return Promise.resolve({ renewed: this.lease === "renewed", known: this.known, terms: this.terms });
  }

  goodbye(goodbye: Goodbye): Promise<void> {
    if (this.isDeaf) return new Promise(() => {});
    if (this.away) return Promise.reject(new LinkError("no answer", false));
    this.goodbyes.push(goodbye);
    return Promise.resolve();
  }

  watchPods(_node: string, listener: (assignments: Assignments) => void, signal: AbortSignal): void {
    this.#listener = listener;
    signal.addEventListener("abort", () => {
      if (this.#listener === listener) this.#listener = undefined;
    });
    if (!this.away) this.sendAll();
  }

  sendAll(): void {
    const pods = [...this.pods.values()].map((pod) => this.#asStored(pod));
    this.#listener?.({ type: "all", pods, ...(this.keepsUnknown ? { keepsUnknown: true } : {}) });
  }

  /** With the status that was reported, or that somebody has written over it. */
  #asStored(pod: Pod): Pod {
    const status = this.written.get(pod.metadata.uid) ?? this.statuses.get(pod.metadata.uid);
    return status === undefined || status === "gone" ? pod : { ...pod, status };
  }

  assign(...pods: readonly Pod[]): void {
    for (const pod of pods) this.pods.set(pod.metadata.uid, pod);
    if (!this.away) this.#listener?.({ type: "changed", pods, removed: [] });
  }

  take(pod: Pod): void {
    this.pods.delete(pod.metadata.uid);
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (!this.away) this.#listener?.({ type: "changed", pods: [], removed: [{ key, uid: pod.metadata.uid }] });
  }

  /** As planPodDeletion marks it. */
  remove(pod: Pod, graceSeconds = 30): void {
    const metadata = {
      ...pod.metadata,
      deletionTimestamp: "2026-01-01T00:00:30Z",
      deletionGracePeriodSeconds: graceSeconds,
    };
    this.assign({ ...pod, metadata });
  }

  report(reports: readonly PodReport[], events: readonly NodeEvent[]): Promise<void> {
    if (this.away) return Promise.reject(new Error("the control plane is away"));
    this.reports++;
    for (const report of reports) {
      this.statuses.set(report.uid, report.status);
      this.written.delete(report.uid);
      this.history.push(report);
      if (report.status === "gone") this.pods.delete(report.uid);
    }
    this.events.push(...events);
    return Promise.resolve();
  }

  keyValues(kind: "Secret" | "ConfigMap", namespace: string, name: string) {
    if (this.away) return Promise.reject(new Error("the control plane is away"));
    return Promise.resolve(this.values.get(`${kind}/${namespace}/${name}`));
  }

  status(pod: Pod): PodStatus {
    const status = this.statuses.get(pod.metadata.uid);
    assert(status !== undefined && status !== "gone", `no status of ${pod.metadata.name} was reported (${status})`);
    return status;
  }

  reasons(): readonly string[] {
    return this.events.map(({ reason }) => reason);
  }
}

class StageTransport implements Transport {
  readonly http = new Map<string, number>();
  readonly asked: string[] = [];

  httpGet({ url }: HttpProbe) {
    this.asked.push(url);
    const status = this.http.get(url);
    return status === undefined
      ? Promise.reject(new TransportError("connection refused"))
      : Promise.resolve({ status });
  }

  tcpConnect(host: string, port: number): Promise<void> {
    return this.http.has(`${host}:${port}`)
      ? Promise.resolve()
      : Promise.reject(new TransportError("connection refused"));
  }
}

class StageVolumes implements Volumes {
  readonly made = new Set<string>();
  make(pod: Pod) {
    this.made.add(pod.metadata.uid);
    return Promise.resolve(
      new Map((pod.spec.volumes ?? []).map(({ name }) => [name, `/volumes/${pod.metadata.uid}/${name}`])),
    );
  }
  subPaths() {
    return Promise.resolve(new Map<number, string>());
  }
  /** What runs have written to their termination files, by `uid/container/attempt`. */
  readonly words = new Map<string, string>();
  terminationFile(pod: Pod, container: string, attempt: number) {
    return Promise.resolve(`/words/${pod.metadata.uid}/${container}/${attempt}`);
  }
  terminationMessage(uid: string, container: string, attempt: number) {
    return Promise.resolve(this.words.get(`${uid}/${container}/${attempt}`));
  }
  remove(uid: string) {
    this.made.delete(uid);
    return Promise.resolve();
  }
  pods() {
    return Promise.resolve([...this.made]);
  }
}

const READING: HostReading = {
  cpuMillis: 4000,
  memoryBytes: 8 * 2 ** 30,
  memoryAvailableBytes: 4 * 2 ** 30,
  diskBytes: 100 * 2 ** 30,
  diskFreeBytes: 50 * 2 ** 30,
  machineId: "0".repeat(32),
  bootId: "boot-1",
  kernelVersion: "6.1",
  osImage: "Debian",
  architecture: "amd64",
};

export class Stage {
  readonly clock = new ManualClock();
  readonly driver = new StageDriver(this.clock);
  readonly unit = new StageDriver(this.clock, "unit");
  readonly control = new StageControl();
  readonly transport = new StageTransport();
  readonly record = new MemoryRecord();
  readonly volumes = new StageVolumes();
  reading: HostReading = READING;
  hostAddress = "192.0.2.1";
  /** As when the process has no descriptor left. */
  isUnreadable = false;
  readonly #given = new Map<string, string>();
  agent: Agent;

  constructor() {
    this.agent = new Agent(this.options());
  }

  options(): AgentOptions {
    const host: NodeHost = {
      read: () =>
        this.isUnreadable ? Promise.reject(new Error("EMFILE: too many open files")) : Promise.resolve(this.reading),
    };
    const taken = this.#given;
    const address = () => this.hostAddress;
    return {
      nodeName: "n1",
      get hostAddress() {
        return address();
      },
      version: "test",
      control: this.control,
      drivers: new Map<DriverName, Driver>([
        ["fake", this.driver],
        ["unit", this.unit],
      ]),
      addresses: {
        assign(uid, wanted) {
          const have = taken.get(uid);
          if (have !== undefined) return have;
          const used = new Set(taken.values());
          let address = wanted ?? "10.0.0.2";
          for (let n = 2; used.has(address); n++) address = `10.0.0.${n}`;
          taken.set(uid, address);
          return address;
        },
        release: (uid) => void taken.delete(uid),
      },
      volumes: this.volumes,
      record: this.record,
      host,
      clock: this.clock,
      random: new SeededRandom("stage"),
      transport: this.transport,
      log: silentLog,
    };
  }

  async start(): Promise<void> {
    const started = this.agent.start();
    await this.clock.advance(0);
    await started;
    await this.clock.advance(100);
  }

  /** A new agent object on the same node, after the old one ended without a word. */
  async restart(): Promise<void> {
    await this.agent.stop();
    this.agent = new Agent(this.options());
    await this.start();
  }

  addresses(): ReadonlyMap<string, string> {
    return this.#given;
  }

  async run(pod: Pod): Promise<Pod> {
    this.control.assign(pod);
    await this.clock.advance(100);
    return pod;
  }
}

let made = 0;

export function podOf(
  spec: Partial<PodSpec> & { readonly containers: readonly Container[] },
  name = `pod-${++made}`,
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-of-${name}`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { nodeName: "n1", ...spec },
    status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "True" }] },
  };
}

export function web(more: Partial<Container> = {}): Container {
  return { name: "web", image: "web:1", driver: "fake", ...more };
}
