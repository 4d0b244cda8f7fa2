/**
 * The node's side of the control plane: takes what is assigned to this node, has one worker per pod carry it out with
 * the drivers, and reports what it sees. It keeps its own record of what was asked for and goes by it whenever the
 * control plane is away. What runs is found by looking, and is stopped only when somebody said so.
 */

import type { Driver, ObservedRun, RunRef } from "../drivers/driver.ts";
import { DEFAULT_CLUSTER_SETTINGS } from "../model/cluster-settings.ts";
import type { Goodbye, LeaseTerms } from "../model/heartbeat.ts";
import type { Draft } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import { isOnLostNode } from "../model/node-state.ts";
import type { DriverName, Pod } from "../model/pod.ts";
import type { NodeAccess } from "../model/streams.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import { AdmissionDesk } from "../scheduling/fit/admission-desk.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Transport } from "../seams/transport.ts";
import type { Addresses } from "./addresses.ts";
import type { Assignments, Control } from "./control.ts";
import { DriverView } from "./driver-view.ts";
import { driversAtMs } from "./drivers-at.ts";
import { EmptyDoubt } from "./empty-doubt.ts";
import { EventFilter } from "./event-filter.ts";
import { Fence, GUARD_SHARE } from "./fence.ts";
import { Guard } from "./guard.ts";
import { HealthWatch } from "./heartbeat/health-watch.ts";
import type { HeartbeatNews } from "./heartbeat/heartbeat-loop.ts";
import { type Heartbeats, OwnHeartbeats } from "./heartbeat/heartbeats.ts";
import type { LocalRecord, PodRecord } from "./local-record.ts";
import { AgentAccess, type AnswerNetwork } from "./node-access.ts";
import type { NodeHost } from "./node-host.ts";
import { NodeRegistration } from "./node-registration.ts";
import type { NodeReportOptions } from "./node-report.ts";
import { PodEvents } from "./pod-events.ts";
import type { PodGate } from "./pod-gate.ts";
import { PodWorker } from "./pod-worker.ts";
import { PullQueue } from "./pull-queue.ts";
import { type RemovalProgress, removeEverything } from "./remove-everything.ts";
import { Reporter } from "./reporter.ts";
import { StartQueue } from "./start-queue.ts";
import { Strangers } from "./strangers.ts";
import { TimerHeap } from "./timer-heap.ts";
import { Unlisted, WAITS_FOR_CONFIRM } from "./unlisted.ts";
import type { Volumes } from "./volumes.ts";
import type { WorkerHost } from "./worker-host.ts";

export interface AgentOptions extends NodeReportOptions {
  readonly control: Control;
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  /** Absent: pods have the address that their driver gives them, if any. */
  readonly addresses?: Addresses;
  /** What Docker calls the network of those; default as people do. */
  readonly podNetwork?: string;
  /** Absent: pods neither come into a network of the cluster nor leave one. */
  readonly gate?: PodGate;
  /** Answers what is asked of this host's network. */
  readonly answerNetwork?: AnswerNetwork;
  readonly volumes: Volumes;
  readonly record: LocalRecord;
  readonly host: NodeHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly log: Log;
  /** Images pulled at once; default 4. */
  readonly pullsAtOnce?: number;
  /** Containers started at once; default 8. */
  readonly startsAtOnce?: number;
  /** Default: through `control`, in this thread. */
  readonly heartbeats?: Heartbeats;
  /** Writes a little to the agent's disk and waits until it is there: for the health word. */
  probeDisk?(): Promise<void>;
  /** Whether that disk is nearly full: for the health word. */
  isDiskShort?(wasShort: boolean): Promise<boolean>;
  /** Why memory is short, in words: for the health word. */
  memory?(): string | undefined;
}

/** Drivers and the host are looked at this often. */
const LOOK_EVERY_MS = 10_000;
/** A driver that does not answer holds up the start no longer than this. */
const FIRST_LOOK_MS = 5_000;
/** Longer than this nobody waits for a goodbye. */
const GOODBYE_MS = 1_000;
/** Longer than this no pod waits for names and services to leave it, when all of them go. */
const LEAVE_MS = 2_000;
/** After so many intervals without an answer, what this node has said may have been replaced by others' words. */
const GAP_INTERVALS = 5;
/** The control plane hears of this node: the last heartbeat that was answered is not older than so many intervals. */
const HEARD_INTERVALS = 3;

export class Agent {
  readonly #options: AgentOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #views = new Map<DriverName, DriverView>();
  readonly #desk = new AdmissionDesk();
  readonly #reporter: Reporter;
  readonly #registration: NodeRegistration;
  readonly #strangers: Strangers;
  readonly #unlisted = new Unlisted();
  readonly #stopping = new AbortController();
  #watching = new AbortController();
  readonly #heartbeats: Heartbeats;
  readonly #guard: Guard;
  readonly #health: HealthWatch;
  readonly #session: string;
  #fence: Fence | undefined;
  #terms: LeaseTerms | undefined;
  #heardOfMs: number | undefined;
  #ticket = 0;
  #host: WorkerHost | undefined;
  /** Whether the control plane has said, since the start, what is assigned. */
  #isTold = false;
  readonly #doubt: EmptyDoubt;

  constructor(options: AgentOptions) {
    const { control, clock, log } = options;
    this.#options = options;
    this.#doubt = new EmptyDoubt(options, () => this.#watchAgain(this.#ticket));
    this.#reporter = new Reporter(control, clock, log, (uid) => this.#gone(uid));
    this.#registration = new NodeRegistration(
      options,
      () => this.#driverReports(),
      (node) => this.#desk.setNode(node),
    );
    this.#strangers = new Strangers({
      ...options,
      isKnown: (uid) => this.#workers.has(uid),
      maySweep: () => this.#isTold && !this.#unlisted.isHeld,
    });
    for (const [name, driver] of options.drivers) this.#views.set(name, this.#viewOf(driver));
    this.#session = options.random.uuid();
    this.#heartbeats = options.heartbeats ?? new OwnHeartbeats(control, clock);
    this.#guard = new Guard({
      ...{ clock, log, drivers: options.drivers },
      exclusiveRuns: () => this.#exclusive().flatMap((worker) => worker.runs),
      lease: () => this.#fence?.lease,
      cannot: (words) => this.#registration.noteUnguarded(words),
    });
    this.#health = new HealthWatch({
      ...{ heartbeats: this.#heartbeats, clock, log },
      look: async () => void (await Promise.all([...this.#views.values()].map((view) => view.describe()))),
      driversAtMs: () => driversAtMs(this.#views),
      ...(options.probeDisk === undefined ? {} : { probeDisk: () => options.probeDisk?.() ?? Promise.resolve() }),
      ...(options.isDiskShort === undefined
        ? {}
        : { isDiskShort: async (wasShort) => (await options.isDiskShort?.(wasShort)) ?? false }),
      ...(options.memory === undefined ? {} : { memory: () => options.memory?.() }),
    });
  }

  /** Logs, commands and usage of the pods on this node. */
  get access(): NodeAccess {
    return new AgentAccess((uid) => this.#workers.get(uid), this.#options.clock, this.#options.answerNetwork);
  }

  /** The node as registered last. */
  get node(): Draft<Node> | undefined {
    return this.#registration.node;
  }

  /** The pods on this node with the status the agent gives them. */
  get pods(): readonly Pod[] {
    const all = [...this.#workers.values()].map(({ pod, status }) => (status ? { ...pod, status } : pod));
    return all.toSorted((a, b) => (a.metadata.uid < b.metadata.uid ? -1 : 1));
  }

  /** Goes on with what the local record says, finds what runs, and only then asks the control plane. */
  async start(): Promise<void> {
    const { host, record, nodeName, clock } = this.#options;
    const { bootId } = await host.read();
    this.#host = this.#workerHost(bootId);
    const records = await record.load();
    this.#fence = this.#fenceFor(records);
    for (const known of records) this.#add(known.pod, known);
    this.#heartbeats.start({ node: nodeName, bootId, session: this.#session }, (news) => this.#heard(news));
    for (const view of this.#views.values()) view.watch(this.#stopping.signal);
    await this.#withinMs(FIRST_LOOK_MS, this.#look());
    this.#options.network?.watch?.(() => {
      this.#sayUnlisted();
      void this.#registration.refresh();
    });
    for (const worker of this.#workers.values()) void worker.begin();
    this.#watch(0);
    this.#health.start();
    this.#options.log.info("agent started", { node: nodeName, pods: this.#workers.size, bootId });
    clock.setTimer(LOOK_EVERY_MS, () => this.#lookAgain());
  }

  /** Says that it goes away, and why, and ends, leaving everything as it runs. `down`: when nobody is sent to what runs here any more. */
  async stop(why?: Goodbye["why"]): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#quiet();
    // What the cluster makes of that is not answered back.
    if (why === "down") this.#watching.abort(new Error("taken down"));
    await this.#sayGoodbye(why);
    if (why === "down") await this.#leaveNetwork();
    await this.#end();
  }

  async #leaveNetwork(): Promise<void> {
    const { gate, log } = this.#options;
    const failed = (error: unknown) =>
      log.warn("others may still be sent to what is taken down", { why: String(error) });
    await Promise.all(this.pods.map((pod) => gate?.leaving(pod, LEAVE_MS).catch(failed)));
  }

  /** No sign of life is sent after the goodbye. */
  #quiet(): void {
    this.#heartbeats.stop();
    this.#health.stop();
  }

  async #sayGoodbye(told: Goodbye["why"] | undefined): Promise<void> {
    const { control, nodeName, host, log, clock } = this.#options;
    if (this.#fence === undefined) return;
    const say = async () => {
      const why = told ?? ((await host.isGoingDown?.()) === true ? "reboot" : "agent-restart");
      const sentAtMs = clock.monotonic();
      await control.goodbye({ node: nodeName, session: this.#session, why });
      // Counted on only when it was heard, from when it was sent, and for less time than the control plane counts.
      const graceMs = (this.#terms?.rebootGraceMs ?? 0) * GUARD_SHARE;
      if (graceMs > 0 && why !== "down") await this.#guard.extend(sentAtMs + graceMs);
    };
    const failed = (error: unknown) =>
      log.warn("the control plane was not told that the agent stops", { why: String(error) });
    await this.#withinMs(GOODBYE_MS, say().catch(failed));
  }

  async #end(): Promise<void> {
    this.#fence?.stop();
    this.#stopping.abort(new Error("the agent stops"));
    this.#watching.abort(new Error("the agent stops"));
    this.#reporter.stop();
    await Promise.all([...this.#workers.values()].map((worker) => worker.detach()));
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

  #workerHost(bootId: string): WorkerHost {
    const options = this.#options;
    const { clock, log, pullsAtOnce, startsAtOnce, addresses, gate } = options;
    const desk = this.#desk;
    return {
      ...this.#options,
      ...{ addresses, gate },
      // It may be another later.
      get hostAddress() {
        return options.hostAddress;
      },
      bootId,
      pulls: new PullQueue(clock, pullsAtOnce),
      starts: new StartQueue(clock, startsAtOnce),
      fence: () => this.#fence?.word,
      leaseTerms: () => this.#terms,
      guarded: (driver) => this.#guard.cover(driver),
      timers: new TimerHeap(clock),
      reporter: this.#reporter,
      events: new PodEvents(new EventFilter(clock), this.#reporter),
      log,
      room: () => this.#registration.room,
      driversSeen: () => Object.fromEntries([...this.#views].map(([name, view]) => [name, view.seen])),
      admit: (pod) => desk.admit(pod),
      holds: (pod, held) => (held ? desk.hold(pod) : desk.free(pod.metadata.uid)),
      gone: (uid) => this.#gone(uid),
    };
  }

  #viewOf(driver: Driver): DriverView {
    const { clock, log } = this.#options;
    let started = new Set<string>();
    return new DriverView(driver, {
      clock,
      log,
      changed: (run) => this.#observe(driver, run),
      listing: () => {
        started = this.#startedNow();
      },
      listed: (runs) => this.#listed(driver, runs, started),
      readinessChanged: () => this.#wakeAll(),
    });
  }

  #observe(driver: Driver, run: ObservedRun): void {
    const worker = this.#workers.get(run.ref.podUid);
    if (worker) worker.observe(run);
    else this.#strangers.note(driver, run);
  }

  #listed(driver: Driver, runs: readonly ObservedRun[], started: ReadonlySet<string>): void {
    const found = new Set(runs.map(({ ref }) => textOf(ref)));
    for (const run of runs.toSorted((a, b) => a.ref.attempt - b.ref.attempt)) this.#observe(driver, run);
    for (const worker of this.#workers.values()) {
      worker.lookedAt(
        driver.name,
        (ref) => found.has(textOf(ref)),
        (ref) => started.has(textOf(ref)),
      );
    }
    void this.#strangers.sweep();
  }

  /** Everything that may be running as far as is known. */
  #startedNow(): Set<string> {
    const refs = [...this.#workers.values()].flatMap((worker) =>
      Object.entries(worker.seen.containers)
        .filter(([, { wasStarted, busy }]) => wasStarted && busy !== "starting")
        .map(([name, { attempt }]) => textOf(worker.refOf(name, attempt))),
    );
    return new Set(refs);
  }

  #fenceFor(records: readonly PodRecord[]): Fence {
    const { clock } = this.#options;
    const changed = () => {
      for (const worker of this.#exclusive()) worker.wake();
    };
    // Not in the middle of a pod's turn.
    const ask = (ticket: number) => void clock.setTimer(0, () => this.#watchAgain(ticket));
    return new Fence({ clock, changed, ask }, termsOf(records));
  }

  #heard(news: HeartbeatNews): void {
    if (this.#stopping.signal.aborted) return;
    const { terms, sentAtMs, known } = news;
    if (terms !== undefined) this.#terms = terms;
    const wasHeard = this.#isHeard;
    const gapMs = sentAtMs - (this.#heardOfMs ?? sentAtMs);
    this.#heardOfMs = sentAtMs;
    if (!known) this.#registration.again();
    if (!wasHeard && this.#isHeard) this.#answerBack();
    if (!wasHeard || gapMs > this.#heartbeatMs * 2) this.#hurry();
    this.#fence?.heard(news);
    this.#guard.renew();
    // Servers that say that nobody leads do not say who is gone either.
    if (news.outcome !== "refused") this.#options.gate?.heardControl?.(this.#heartbeatMs);
    if (this.#isTold && gapMs > GAP_INTERVALS * this.#heartbeatMs) this.#watchAgain(this.#ticket);
  }

  #hurry(): void {
    this.#reporter.hurry();
    this.#registration.hurry();
  }

  /** To what was said of this node's pods while it was not heard. */
  #answerBack(): void {
    for (const worker of this.#workers.values()) if (isOnLostNode(worker.pod)) worker.compare(worker.pod);
  }

  #exclusive(): readonly PodWorker[] {
    return [...this.#workers.values()].filter((worker) => isExclusive(worker.pod));
  }

  #watchAgain(ticket: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#watching.abort(new Error("asking again"));
    this.#watch(ticket);
  }

  /** `ticket`: of the fence, which learns when the answer to this asking is there. */
  #watch(ticket: number): void {
    const { control, nodeName } = this.#options;
    this.#ticket = ticket;
    const watching = new AbortController();
    this.#watching = watching;
    const listener = (assignments: Assignments) => {
      if (!watching.signal.aborted) this.#assigned(assignments, ticket);
    };
    control.watchPods(nodeName, listener, watching.signal);
  }

  #assigned(assignments: Assignments, ticket: number): void {
    if (this.#stopping.signal.aborted) return;
    const isHeld = assignments.type === "all" ? assignments.keepsUnknown === true : this.#unlisted.isHeld;
    if (assignments.type === "all" && !isHeld && this.#isDoubtful(assignments.pods.length)) return;
    if (assignments.type === "all") this.#unlisted.begin(isHeld);
    for (const pod of assignments.pods) {
      const worker = this.#workers.get(pod.metadata.uid);
      if (worker === undefined) {
        if (this.#unlisted.mustWait(pod)) this.#host?.events.warning(pod, "HeldByRestore", WAITS_FOR_CONFIRM);
        else void this.#add(pod).begin();
      } else if (this.#mayAnswerBack(assignments.type, pod)) worker.compare(pod);
      else worker.assign(pod);
    }
    if (assignments.type === "changed") {
      for (const { uid } of assignments.removed) {
        this.#workers.get(uid)?.leave();
        this.#unlisted.forget(uid);
      }
      this.#sayUnlisted();
      return;
    }
    const assigned = new Set(assignments.pods.map(({ metadata }) => metadata.uid));
    for (const [uid, worker] of this.#workers) if (!assigned.has(uid)) this.#leaveOrKeep(worker);
    this.#isTold = true;
    this.#sayUnlisted();
    this.#hurry();
    this.#fence?.told(ticket);
    void this.#strangers.sweep();
  }

  #leaveOrKeep(worker: PodWorker): void {
    if (this.#unlisted.isHeld) this.#unlisted.keep(worker.pod);
    else worker.leave();
  }

  #sayUnlisted(): void {
    this.#registration.noteUnlisted(this.#unlisted.report(this.#strangers.pods, this.#options.network?.unlisted));
  }

  /**
   * A lost node's mark may be written when the node is back already and has said how its pods are. Before the control
   * plane has heard that the node lives, it would only write it again.
   */
  #mayAnswerBack(type: Assignments["type"], pod: Pod): boolean {
    return isOnLostNode(pod) ? this.#isHeard : type === "all";
  }

  get #isHeard(): boolean {
    const heardOfMs = this.#heardOfMs ?? Number.NEGATIVE_INFINITY;
    return this.#options.clock.monotonic() - heardOfMs <= HEARD_INTERVALS * this.#heartbeatMs;
  }

  get #heartbeatMs(): number {
    return this.#terms?.heartbeatMs ?? 1_000;
  }

  #isDoubtful(assigned: number): boolean {
    return this.#doubt.isDoubtful(assigned, [...this.#workers.values()].filter(({ isHolding }) => isHolding).length);
  }

  #add(pod: Pod, record?: PodRecord): PodWorker {
    const { uid } = pod.metadata;
    const host = this.#host as WorkerHost;
    const worker = new PodWorker(host, pod, record);
    this.#workers.set(uid, worker);
    for (const run of this.#strangers.take(uid)) worker.observe(run);
    return worker;
  }

  #gone(uid: string): void {
    if (!this.#workers.delete(uid)) return;
    this.#desk.free(uid);
    this.#unlisted.forget(uid);
    this.#reporter.forget(uid);
    this.#host?.events.forget(uid);
    this.#options.record.remove(uid).catch((error) => {
      this.#options.log.warn("a pod's local record could not be removed", { pod: uid, why: String(error) });
    });
  }

  #driverReports() {
    return Object.fromEntries([...this.#views].map(([name, view]) => [name, view.report]));
  }

  /** The host's address is another: the node says so, and so do the pods that have it. */
  readdressed(): void {
    void this.#registration.refresh();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  async #look(): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.describe()));
    await this.#registration.refresh();
  }

  #lookAgain(): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, log } = this.#options;
    const failed = (error: unknown) => log.warn("this host could not be looked at", { why: String(error) });
    void this.#withinMs(LOOK_EVERY_MS, this.#look().catch(failed)).then(() => {
      void this.#strangers.sweep();
      this.#sayUnlisted();
      clock.setTimer(LOOK_EVERY_MS, () => this.#lookAgain());
    });
  }

  /** Goes on after `ms` at the latest; the work itself goes on, too. */
  async #withinMs(ms: number, work: Promise<void>): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(ms, resolve);
      work.finally(() => timer.cancel()).catch(() => undefined);
    });
    await Promise.race([work, enough]);
  }
}

/** What pods that may run once only were let run under, as far as it was written down; the usual terms where it was not. */
function termsOf(records: readonly PodRecord[]): LeaseTerms {
  const usual = { heartbeatMs: 1_000, exclusiveMs: DEFAULT_CLUSTER_SETTINGS.exclusiveAfterMs };
  const exclusive = records.filter(({ pod }) => isExclusive(pod)).map(({ leaseTerms }) => leaseTerms ?? usual);
  if (exclusive.length === 0) return usual;
  const exclusiveMs = Math.min(...exclusive.map((terms) => terms.exclusiveMs ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(exclusiveMs) ? { ...usual, exclusiveMs } : { heartbeatMs: usual.heartbeatMs };
}

function textOf({ podUid, container, attempt }: RunRef): string {
  return `${podUid}/${container}/${attempt}`;
}
