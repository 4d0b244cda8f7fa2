/**
 * One pod's life on this node: holds what is known of it, asks the pod machine for the next step, has it carried out
 * (pod-effects.ts), and publishes the pod's status when there is nothing more to do for now. It is woken by what
 * happens to its own pod only, so that a thousand quiet pods cost nothing.
 */

import { isDeepStrictEqual } from "node:util";
import type { Driver, ObservedRun, RunRef } from "../drivers/driver.ts";
import { assert } from "../lib/assert.ts";
import { keyOf } from "../model/meta.ts";
import { type Container, type DriverName, driverOf, type Pod, type PodStatus } from "../model/pod.ts";
import type { Timer } from "../seams/clock.ts";
import { enterAgain, returnToGate } from "./gate-return.ts";
import { type Leaving, leavingBy } from "./leaving.ts";
import type { PodRecord } from "./local-record.ts";
import { carryOut } from "./pod-effects.ts";
import { PodEquipment } from "./pod-equipment.ts";
import { PodFence } from "./pod-fence.ts";
import { type Action, graceOf } from "./pod-machine.ts";
import { type PodMemory, seenFromAssignment, seenFromRecord, startOf } from "./pod-memory.ts";
import { PodRuns, type RunsOwner, runsThatMayBe } from "./pod-runs.ts";
import { deadlineOf, type Turned, takeSteps } from "./pod-turn.ts";
import { type Recorded, RecordWriter } from "./record-writer.ts";
import type { Now } from "./restart-rules.ts";
import { allContainers, type ContainerSeen, containerSeen, type PodSeen } from "./seen.ts";
import { type Published, StatusPublisher } from "./status-publisher.ts";
import type { WorkerHost } from "./worker-host.ts";

export class PodWorker implements RunsOwner, Turned, Published, Recorded {
  readonly host: WorkerHost;
  readonly equipment: PodEquipment;
  readonly #startedWallMs: number;
  readonly #record: RecordWriter;
  readonly #publisher: StatusPublisher;
  readonly #runs: PodRuns;
  readonly #fence = new PodFence();
  #abort = new AbortController();
  #pod: Pod;
  #seen: PodSeen;
  #leaving: Leaving | undefined;
  #isRecorded = false;
  #isTurning = false;
  #isDetached = false;
  #isHeld = false;
  #wakeTimer: Timer | undefined;

  constructor(host: WorkerHost, pod: Pod, record?: PodRecord) {
    this.host = host;
    this.#pod = record ? { ...record.pod, metadata: pod.metadata, spec: pod.spec } : pod;
    this.#seen = record ? seenFromRecord(record, host.bootId, this.#now()) : seenFromAssignment(pod);
    this.#startedWallMs = record?.startedWallMs ?? startOf(pod) ?? host.clock.now();
    this.#record = new RecordWriter(host, this, record?.leaseTerms);
    const status = record?.status ?? (Object.keys(pod.status).length > 1 ? pod.status : undefined);
    this.#publisher = new StatusPublisher(this, this.#record, status);
    this.equipment = new PodEquipment(host, record ?? {});
    if (this.#seen.stage !== "finished") this.equipment.claim(pod, record?.address);
    this.#runs = new PodRuns(this);
    returnToGate(this, record);
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
    return this.#publisher.status;
  }

  get leaving(): Leaving | undefined {
    return this.#leaving;
  }

  get isDetached(): boolean {
    return this.#isDetached;
  }

  get isOver(): boolean {
    return this.#publisher.isOver;
  }

  get memory(): PodMemory {
    const { address, values } = this.equipment;
    const known = { pod: this.#pod, seen: this.#seen, status: this.status, leaving: this.#leaving };
    return { ...known, address, values, startedWallMs: this.#startedWallMs };
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
    await this.#record.now();
    this.#isRecorded = true;
    this.wake();
  }

  /** The pod as its user wants it now. */
  assign(pod: Pod): void {
    const before = this.#pod.metadata.labels;
    this.#pod = pod;
    // Policies select by labels.
    if (this.#seen.gate === "in" && !isDeepStrictEqual(before, pod.metadata.labels)) enterAgain(this);
    this.#noteDeletion();
    this.saveSoon();
    this.wake();
  }

  /** As `assign`, from a list of everything: what the control plane has of it may not be what this agent said last. */
  compare(pod: Pod): void {
    this.#publisher.compare(pod.status);
    this.assign(pod);
  }

  /** Every run of it that is there, or may be. */
  get runs(): readonly { readonly driver: DriverName; readonly ref: RunRef }[] {
    return runsThatMayBe(this);
  }

  /** The pod is in nobody's assignment any more: it ends, and nobody waits to hear of it. */
  leave(): void {
    if (this.#leaving) return;
    this.#setLeaving({ graceMs: graceOf(this.#pod), report: false });
    this.saveSoon();
    this.wake();
  }

  /** Stops caring, leaving everything as it runs. */
  async detach(): Promise<void> {
    this.#isDetached = true;
    this.#wakeTimer?.cancel();
    this.#abort.abort(new Error("the agent stops"));
    this.#runs.stop();
    await this.#record.stop();
  }

  /** A driver said something about one of the pod's runs. */
  observe(run: ObservedRun): void {
    this.#runs.observe(run);
  }

  /** What was started before `refs` was read and is not in it is gone, and nobody saw it end. */
  lookedAt(driver: DriverName, found: (ref: RunRef) => boolean, wasStartedThen: (ref: RunRef) => boolean): void {
    this.#runs.lookedAt(driver, found, wasStartedThen);
  }

  /** Something may have changed: take every step there is to take. */
  wake(): void {
    if (!this.#isRecorded || this.#isTurning || this.#isDetached) return;
    this.#isTurning = true;
    this.#wakeTimer?.cancel();
    this.#wakeTimer = undefined;
    const waitMs = takeSteps(this);
    if (waitMs !== undefined) this.#wakeTimer = this.host.timers.set(waitMs, () => this.wake());
    this.#isTurning = false;
    if (this.#isHeld !== this.isHolding) {
      this.#isHeld = this.isHolding;
      this.host.holds(this.#pod, this.#isHeld);
    }
    this.#publisher.publish();
  }

  saveSoon(): void {
    this.#record.soon();
  }

  bringFence(): void {
    this.#fence.bring(this);
  }

  giveUp(why: string): void {
    this.#abort.abort(new Error(why));
  }

  refresh(): void {
    const deadlineMs = deadlineOf(this.#pod, this.#startedWallMs, this.#now());
    this.patchPod({ drivers: this.host.driversSeen(), ...(deadlineMs === undefined ? {} : { deadlineMs }) });
    this.bringFence();
  }

  perform(action: Exclude<Action, { type: "wait" | "move" }>, reason: string): void {
    if (action.type === "start") this.#runs.begin(action.container, action.attempt);
    void carryOut(this, action, reason).finally(() => this.wake());
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

  #noteDeletion(): void {
    if (this.#pod.metadata.deletionTimestamp === undefined) return;
    this.#setLeaving({ graceMs: graceOf(this.#pod), report: true });
  }

  #setLeaving(asked: Leaving): void {
    const { leaving, byMs } = leavingBy(asked, this.#leaving, this.#now());
    this.#leaving = leaving;
    const present = this.#seen.goodbye;
    if (present === undefined || byMs < present.byMs) this.patchPod({ goodbye: { graceMs: asked.graceMs, byMs } });
  }

  #now(): Now {
    return { monoMs: this.host.clock.monotonic(), wallMs: this.host.clock.now() };
  }
}
