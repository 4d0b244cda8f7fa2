/**
 * One pod's life on this node: holds what is known of it, asks the pod machine for the next step, has it carried out
 * (pod-effects.ts), and publishes the pod's status when there is nothing more to do for now. It is woken by what
 * happens to its own pod only, so that a thousand quiet pods cost nothing.
 */

import { isDeepStrictEqual } from "node:util";
import type { Driver, ObservedRun, RunRef } from "../drivers/driver.ts";
import { assert } from "../lib/assert.ts";
import { keyOf } from "../model/meta.ts";
import {
  AGENT_CONDITIONS,
  type Container,
  type DriverName,
  driverOf,
  type Pod,
  type PodPhase,
  type PodStatus,
} from "../model/pod.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import type { Timer } from "../seams/clock.ts";
import type { ProbeVerdict } from "./container-probes.ts";
import { GivenAway, withFenceNoted } from "./given-away.ts";
import type { PodRecord } from "./local-record.ts";
import { observe, withAttempt } from "./observe.ts";
import { carryOut } from "./pod-effects.ts";
import { PodEquipment } from "./pod-equipment.ts";
import type { PodHandle } from "./pod-handle.ts";
import { type Action, graceOf, STAGE_MOVES, step } from "./pod-machine.ts";
import { recordOf, seenFromAssignment, seenFromRecord } from "./pod-memory.ts";
import { PodProbes } from "./pod-probes.ts";
import { statusOf } from "./pod-status.ts";
import type { Now } from "./restart-rules.ts";
import { allContainers, type ContainerSeen, containerSeen, type PodSeen } from "./seen.ts";
import { mayHaveMessage, withMessage } from "./termination-message.ts";
import type { WorkerHost } from "./worker-host.ts";

/** Changes to the record that can be learned again are written together. */
const SAVE_AFTER_MS = 500;
/** What somebody else has written over is said again this often at most. */
const SAY_AGAIN_MS = 1_000;
/** More steps than this without waiting: the machine runs in circles, which is a bug. */
const MOST_STEPS = 1000;

export class PodWorker implements PodHandle {
  readonly host: WorkerHost;
  readonly equipment: PodEquipment;
  readonly #startedWallMs: number;
  readonly #probes: PodProbes;
  readonly #givenAway = new GivenAway();
  #abort = new AbortController();
  #pod: Pod;
  #seen: PodSeen;
  #status: PodStatus | undefined;
  #leaving: PodRecord["leaving"];
  #isRecorded = false;
  #isTurning = false;
  #isDetached = false;
  #isSaid = false;
  #savedPhase: PodPhase | undefined;
  #isSavingPhase = false;
  #isHeld = false;
  #leaseTerms: PodRecord["leaseTerms"];
  #saidAgainAtMs = Number.NEGATIVE_INFINITY;
  #sayAgainTimer: Timer | undefined;
  #wakeTimer: Timer | undefined;
  #saveTimer: Timer | undefined;

  constructor(host: WorkerHost, pod: Pod, record?: PodRecord) {
    this.host = host;
    this.#pod = record ? { ...record.pod, metadata: pod.metadata, spec: pod.spec } : pod;
    this.#seen = record ? seenFromRecord(record, host.bootId, this.#now()) : seenFromAssignment(pod);
    this.#status = record?.status ?? (Object.keys(pod.status).length > 1 ? pod.status : undefined);
    this.#startedWallMs = record?.startedWallMs ?? startOf(pod) ?? host.clock.now();
    this.#leaseTerms = record?.leaseTerms;
    this.equipment = new PodEquipment(host, record ?? {});
    if (this.#seen.stage !== "finished") this.equipment.claim(pod, record?.address);
    this.#probes = this.#newProbes();
    this.#returnToGate(record);
    if (record?.leaving) this.#setLeaving(record.leaving);
    this.#noteDeletion();
  }

  get pod(): Pod {
    return this.#pod;
  }

  get seen(): PodSeen {
    return this.#seen;
  }

  get status(): PodStatus | undefined {
    return this.#status;
  }

  /** Aborts when the pod is to end: what is being prepared is no longer wanted. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether it takes room on the node. */
  get isHolding(): boolean {
    return this.#seen.admission === "yes" && this.#seen.stage !== "finished" && this.#seen.stage !== "gone";
  }

  /** Writes the record, then begins. Nothing is started that a restart of the agent would not know of. */
  async begin(): Promise<void> {
    await this.#save();
    this.#isRecorded = true;
    this.wake();
  }

  /** What runs since before this agent is in the network already: only the gate has to learn of it anew. */
  #returnToGate(record: PodRecord | undefined): void {
    const mayRun = allContainers(this.#pod).some(({ name }) => containerSeen(this.#seen, name).wasStarted);
    if (record?.bootId !== this.host.bootId || !mayRun || this.#seen.stage === "finished") return;
    this.#enterAgain();
  }

  #enterAgain(): void {
    const { gate, log } = this.host;
    if (gate === undefined) return;
    if (this.#seen.gate === undefined) this.patchPod({ gate: "in" });
    gate.coming(this.#pod, this.equipment.address).catch((error: Error) => {
      log.warn("the network does not know yet of a pod that runs", { pod: keyOf(this.#pod), why: error.message });
    });
  }

  /** The pod as its user wants it now. */
  assign(pod: Pod): void {
    const before = this.#pod.metadata.labels;
    this.#pod = pod;
    // Policies select by labels.
    if (this.#seen.gate === "in" && !isDeepStrictEqual(before, pod.metadata.labels)) this.#enterAgain();
    this.#noteDeletion();
    this.#saveSoon();
    this.wake();
  }

  /** As `assign`, from a list of everything: what the control plane has of it may not be what this agent said last. */
  compare(pod: Pod): void {
    if (this.#status !== undefined && !saysTheSame(pod.status, this.#status)) this.#sayAgain(pod);
    this.assign(pod);
  }

  /** Two who contradict each other do so in peace. */
  #sayAgain(pod: Pod): void {
    const { clock, timers, reporter } = this.host;
    const waitMs = this.#saidAgainAtMs + SAY_AGAIN_MS - clock.monotonic();
    if (waitMs <= 0) {
      this.#saidAgainAtMs = clock.monotonic();
      reporter.sayAgain(pod.metadata.uid);
    } else this.#sayAgainTimer ??= timers.set(waitMs, () => this.#lookBack());
  }

  #lookBack(): void {
    this.#sayAgainTimer = undefined;
    if (!this.#isDetached) this.compare(this.#pod);
  }

  /** Every run of it that is there, or may be. */
  get runs(): readonly { readonly driver: DriverName; readonly ref: RunRef }[] {
    return allContainers(this.#pod).flatMap((container) => {
      const c = containerSeen(this.#seen, container.name);
      const mayRun = c.wasStarted && c.run?.state !== "exited";
      const attempts = [...c.strays, ...(mayRun ? [c.attempt] : [])];
      return attempts.map((attempt) => ({ driver: driverOf(container), ref: this.refOf(container.name, attempt) }));
    });
  }

  /** The pod is in nobody's assignment any more: it ends, and nobody waits to hear of it. */
  leave(): void {
    if (this.#leaving) return;
    this.#setLeaving({ graceMs: graceOf(this.#pod), report: false });
    this.#saveSoon();
    this.wake();
  }

  /** Stops caring, leaving everything as it runs. */
  async detach(): Promise<void> {
    this.#isDetached = true;
    this.#wakeTimer?.cancel();
    this.#abort.abort(new Error("the agent stops"));
    this.#probes.stop();
    if (this.#saveTimer) {
      this.#saveTimer.cancel();
      await this.#save();
    }
  }

  /** A driver said something about one of the pod's runs. */
  observe(run: ObservedRun): void {
    const container = allContainers(this.#pod).find(({ name }) => name === run.ref.container);
    const { run: known } = containerSeen(this.#seen, run.ref.container);
    const isKnown = known?.state === "exited" && known.ref.attempt === run.ref.attempt;
    if (container === undefined || isKnown || !mayHaveMessage(container, run)) {
      this.#take(run);
      return;
    }
    const { volumes, clock, log } = this.host;
    const host = { driver: this.driverFor(container.name), volumes, clock, log };
    void withMessage(container, run, host).then((told) => this.#take(told));
  }

  #take(run: ObservedRun): void {
    const name = run.ref.container;
    const before = this.#seen.containers[name];
    if (before === undefined || this.#isDetached) return;
    this.#setFence();
    if (run.address !== undefined && this.equipment.address === undefined && run.state !== "exited") {
      this.equipment.claim(this.#pod, run.address);
    }
    this.patch(name, (c) => observe(this.#pod, withFenceNoted(c, run, this.#seen.fence), run, this.#now()));
    this.#followRun(name, before, containerSeen(this.#seen, name));
    // Where something of it runs already, the question whether it fits has been answered.
    if (this.#seen.stage === "assigned" && this.#seen.admission === undefined) this.patchPod({ admission: "yes" });
    this.wake();
  }

  /** What was started before `refs` was read and is not in it is gone, and nobody saw it end. */
  lookedAt(driver: DriverName, found: (ref: RunRef) => boolean, wasStartedThen: (ref: RunRef) => boolean): void {
    for (const container of allContainers(this.#pod)) {
      if (driverOf(container) !== driver) continue;
      const c = containerSeen(this.#seen, container.name);
      const ref = this.refOf(container.name, c.attempt);
      const isOver = !c.wasStarted || c.run?.state === "exited" || c.busy === "starting";
      if (isOver || found(ref) || !wasStartedThen(ref)) continue;
      this.observe({
        ...(c.run ?? missing(ref, driver)),
        state: "exited",
        finishedAtMs: this.host.clock.now(),
        message: missingWords(c),
      });
    }
    this.wake();
  }

  /** Something may have changed: take every step there is to take. */
  wake(): void {
    if (!this.#isRecorded || this.#isTurning || this.#isDetached) return;
    this.#isTurning = true;
    this.#wakeTimer?.cancel();
    this.#wakeTimer = undefined;
    this.#turn();
    this.#isTurning = false;
    if (this.#isHeld !== this.isHolding) {
      this.#isHeld = this.isHolding;
      this.host.holds(this.#pod, this.#isHeld);
    }
    this.#publish();
  }

  patchPod(change: Partial<PodSeen>): void {
    this.#seen = { ...this.#seen, ...change };
  }

  setPod(change: (seen: PodSeen) => PodSeen): void {
    this.#seen = change(this.#seen);
  }

  patch(container: string, change: (c: ContainerSeen) => ContainerSeen): void {
    const before = containerSeen(this.#seen, container);
    const after = change(before);
    if (after !== before) this.#seen = { ...this.#seen, containers: { ...this.#seen.containers, [container]: after } };
  }

  container(name: string): Container {
    const found = allContainers(this.#pod).find((container) => container.name === name);
    assert(found, `pod ${keyOf(this.#pod)} has no container ${name}`);
    return found;
  }

  driverFor(container: string): Driver {
    const name = driverOf(this.container(container));
    const driver = this.host.drivers.get(name);
    assert(driver, `an action for driver ${name}, which is not there`);
    return driver;
  }

  refOf(container: string, attempt: number): RunRef {
    return { podUid: this.#pod.metadata.uid, container, attempt };
  }

  /** The run whose output somebody wants to see. */
  runFor(container: string, previous: boolean): ObservedRun | undefined {
    const c = containerSeen(this.#seen, container);
    return previous ? c.previous : (c.run ?? c.previous);
  }

  #turn(): void {
    for (let steps = 0; ; steps++) {
      assert(steps < MOST_STEPS, `the pod machine runs in circles for ${keyOf(this.#pod)} in ${this.#seen.stage}`);
      this.#refresh();
      const nowMs = this.host.clock.monotonic();
      const { action, reason } = step(this.#pod, this.#seen, nowMs);
      if (action.type === "wait") {
        if (action.untilMs !== undefined) this.#wakeAt(action.untilMs - nowMs);
        return;
      }
      this.host.log.debug("step", { pod: keyOf(this.#pod), action: action.type, reason });
      if (action.type === "move") this.#move(action, reason);
      else this.#begin(action, reason);
    }
  }

  #refresh(): void {
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    const { monoMs, wallMs } = this.#now();
    const deadlineMs =
      seconds === undefined ? {} : { deadlineMs: monoMs + this.#startedWallMs + seconds * 1000 - wallMs };
    this.patchPod({ drivers: this.host.driversSeen(), ...deadlineMs });
    this.#setFence();
  }

  #setFence(): void {
    const before = this.#seen.fence;
    const fence = isExclusive(this.#pod)
      ? (this.#givenAway.word(this.#pod, this.host.clock.monotonic()) ?? this.host.fence())
      : undefined;
    if (fence?.words === before?.words && fence?.stopByMs === before?.stopByMs) return;
    const { fence: _, ...rest } = this.#seen;
    this.#seen = fence === undefined ? rest : { ...rest, fence };
    if (fence?.stopByMs !== undefined && before?.stopByMs === undefined)
      this.host.events.warning(this.#pod, "Fenced", fence.words);
    if (fence === undefined && before?.stopByMs !== undefined)
      this.host.events.normal(this.#pod, "Unfenced", "it may run on this host again");
  }

  #move({ to, outcome }: Extract<Action, { type: "move" }>, reason: string): void {
    const from = this.#seen.stage;
    assert(to in STAGE_MOVES[from], `a move from ${from} to ${to}`);
    const { trouble: _, ...rest } = this.#seen;
    this.#seen = { ...rest, stage: to, ...(outcome === undefined ? {} : { outcome }) };
    if (to === "finishing" || to === "stopping") this.#abort.abort(new Error(reason));
    if (outcome?.phase === "Failed" && outcome.reason)
      this.host.events.warning(this.#pod, outcome.reason, outcome.message ?? "");
    this.#saveSoon();
  }

  #begin(action: Exclude<Action, { type: "wait" | "move" }>, reason: string): void {
    if (action.type === "start") this.#beginStart(action.container, action.attempt);
    void carryOut(this, action, reason).finally(() => this.wake());
  }

  #beginStart(name: string, attempt: number): void {
    this.patch(name, (c) => {
      const next = attempt > c.attempt ? withAttempt(c, attempt, false) : c;
      const { kill, interrupted, asked, ...rest } = next;
      const image = this.container(name).image;
      return { ...rest, wasStarted: true, ...(image === undefined ? {} : { startedImage: image }) };
    });
    this.#probes.startsAnew(name);
    this.#saveSoon();
  }

  #followRun(name: string, before: ContainerSeen, after: ContainerSeen): void {
    const isNew =
      after.run !== before.run && (before.run === undefined || before.run.ref.attempt !== after.run?.ref.attempt);
    const wasRunning = !isNew && before.run?.state === "running";
    if (after.run?.state === "running" && !wasRunning) this.#probes.begin(name, before, after.run);
    if (after.run?.state === "exited" && (wasRunning || !isNew || this.#probes.isLookingAt(name)))
      this.#probes.end(name);
    if (after.run?.state === "exited" && before.run?.state !== "exited") this.#tellEnd(name, after);
    this.#saveSoon();
  }

  #newProbes(): PodProbes {
    const adoptable = allContainers(this.#pod).filter(({ name }) => containerSeen(this.#seen, name).wasStarted);
    const began = (name: string, verdict: ProbeVerdict) => this.#takeVerdict(name, verdict);
    const changed = (name: string, verdict: ProbeVerdict) => {
      this.#takeVerdict(name, verdict);
      this.wake();
    };
    const names = adoptable.map(({ name }) => name);
    return new PodProbes(names, { probed: this, began, changed });
  }

  #takeVerdict(name: string, { kill, ...verdict }: ProbeVerdict): void {
    if (containerSeen(this.#seen, name).run?.state !== "running") return;
    this.patch(name, (c) => ({
      ...c,
      ...verdict,
      ...(kill === undefined || c.kill !== undefined ? {} : { kill: { why: kill, after: "policy" as const } }),
    }));
    this.#saveSoon();
  }

  #tellEnd(name: string, c: ContainerSeen): void {
    if (this.#seen.stage !== "running" && this.#seen.stage !== "initializing") return;
    if (c.retryAtMs <= this.host.clock.monotonic() || c.run?.exitCode === 0) return;
    this.host.events.warning(
      this.#pod,
      "BackOff",
      `Back-off restarting failed container ${name} in pod ${keyOf(this.#pod)}`,
    );
  }

  #noteDeletion(): void {
    if (this.#pod.metadata.deletionTimestamp === undefined) return;
    this.#setLeaving({ graceMs: graceOf(this.#pod), report: true });
  }

  /** Asking again may shorten the time, never lengthen it. */
  #setLeaving(leaving: NonNullable<PodRecord["leaving"]>): void {
    const { clock } = this.host;
    const nowMs = clock.now();
    // A wall clock that jumped must not make the grace longer than it was.
    const leftMs = Math.min(leaving.graceMs, Math.max(0, (leaving.byWallMs ?? nowMs + leaving.graceMs) - nowMs));
    const byMs = clock.monotonic() + leftMs;
    const byWallMs = Math.min(nowMs + leftMs, this.#leaving?.byWallMs ?? Number.POSITIVE_INFINITY);
    this.#leaving = { ...leaving, byWallMs, report: leaving.report || this.#leaving?.report === true };
    const present = this.#seen.goodbye;
    if (present === undefined || byMs < present.byMs) this.patchPod({ goodbye: { graceMs: leaving.graceMs, byMs } });
  }

  #publish(): void {
    if (this.#isDetached || this.#isSaid) return;
    if (this.#seen.stage === "gone") {
      this.#sayGone();
      return;
    }
    // One that was over before this agent knew it: the control plane knows more than we do.
    if (this.#seen.stage === "finished" && this.#seen.admission === undefined && this.#status !== undefined) return;
    const { monoMs: nowMs, wallMs } = this.#now();
    const podIP = this.equipment.podIP(this.#pod);
    const status = statusOf(this.#pod, this.#seen, {
      nowMs,
      wallMs,
      hostIP: this.host.hostAddress,
      ...(podIP === undefined ? {} : { podIP }),
      ...(this.#status === undefined ? {} : { before: this.#status }),
    });
    if (JSON.stringify(status) !== JSON.stringify(this.#status)) this.#saveSoon();
    this.host.gate?.seen?.(this.#pod, status);
    this.#status = status;
    this.#report();
  }

  /** A phase is on disk before it is told: after a power cut this agent must not take back what it said. */
  #report(): void {
    const status = this.#status;
    if (this.#isDetached || this.#isSaid || status === undefined || this.#leaving?.report === false) return;
    if (status.phase === this.#savedPhase) {
      this.host.reporter.report({ key: keyOf(this.#pod), uid: this.#pod.metadata.uid, status });
    } else if (!this.#isSavingPhase) {
      this.#isSavingPhase = true;
      void this.#save().then(() => {
        this.#isSavingPhase = false;
        this.#report();
      });
    }
  }

  #sayGone(): void {
    this.#isSaid = true;
    const { uid } = this.#pod.metadata;
    if (this.#leaving?.report === true) this.host.reporter.report({ key: keyOf(this.#pod), uid, status: "gone" });
    else this.host.gone(uid);
  }

  #wakeAt(inMs: number): void {
    this.#wakeTimer = this.host.timers.set(inMs, () => this.wake());
  }

  #saveSoon(): void {
    if (this.#saveTimer || this.#isDetached) return;
    this.#saveTimer = this.host.timers.set(SAVE_AFTER_MS, () => void this.#save());
  }

  async #save(): Promise<void> {
    this.#saveTimer = undefined;
    const { address, values } = this.equipment;
    if (isExclusive(this.#pod)) this.#leaseTerms = this.host.leaseTerms() ?? this.#leaseTerms;
    const leaseTerms = this.#leaseTerms;
    const known = { pod: this.#pod, seen: this.#seen, status: this.#status, leaving: this.#leaving };
    const memory = { ...known, address, values, leaseTerms };
    const record = recordOf({ ...memory, startedWallMs: this.#startedWallMs }, this.host.bootId, this.#now());
    if (this.#isSaid) return;
    try {
      await this.host.record.save(record);
    } catch (error) {
      // What is asked for is done all the same; a full disk must not stop a pod.
      this.host.log.error("a pod's local record cannot be written", { pod: keyOf(this.#pod), why: String(error) });
      this.#saveSoon();
    }
    this.#savedPhase = record.status?.phase;
  }

  #now(): Now {
    return { monoMs: this.host.clock.monotonic(), wallMs: this.host.clock.now() };
  }
}

/** Conditions of others aside. */
function saysTheSame(told: PodStatus, own: PodStatus): boolean {
  const conditionsOf = ({ conditions = [] }: PodStatus) =>
    conditions.filter(({ type }) => AGENT_CONDITIONS.includes(type)).toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return (
    isDeepStrictEqual(conditionsOf(told), conditionsOf(own)) &&
    isDeepStrictEqual({ ...told, conditions: [] }, { ...own, conditions: [] })
  );
}

function startOf(pod: Pod): number | undefined {
  return pod.status.startTime === undefined ? undefined : Date.parse(pod.status.startTime);
}

function missing(ref: RunRef, driver: DriverName): ObservedRun {
  return { ref, driver, id: `${driver}://unknown`, state: "exited" };
}

function missingWords(c: ContainerSeen): string {
  return c.interrupted === true ? "the host was restarted while it ran" : "it is gone, and nobody saw how it ended";
}
