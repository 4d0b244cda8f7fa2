import { isDeepStrictEqual } from "node:util";
import { keyOf } from "../model/meta.ts";
import { AGENT_CONDITIONS, type Pod, type PodStatus } from "../model/pod.ts";
import type { Timer } from "../seams/clock.ts";
import type { PodRecord } from "./local-record.ts";
import type { PodHandle } from "./pod-handle.ts";
import { statusOf } from "./pod-status.ts";
import type { RecordWriter } from "./record-writer.ts";

/** What somebody else has written over is said again this often at most. */
const SAY_AGAIN_MS = 1_000;

/** Whose status it is. */
export interface Published extends Pick<PodHandle, "host" | "equipment" | "pod" | "seen"> {
  readonly leaving: PodRecord["leaving"];
  readonly isDetached: boolean;
  compare(pod: Pod): void;
}

/** One pod's status as the control plane is told it: made of what is seen, on disk before it is said, and in the end that it is gone. */
export class StatusPublisher {
  readonly #pod: Published;
  readonly #record: RecordWriter;
  #status: PodStatus | undefined;
  #isOver = false;
  #isSavingPhase = false;
  #saidAgainAtMs = Number.NEGATIVE_INFINITY;
  #sayAgainTimer: Timer | undefined;

  constructor(pod: Published, record: RecordWriter, status: PodStatus | undefined) {
    this.#pod = pod;
    this.#record = record;
    this.#status = status;
  }

  get status(): PodStatus | undefined {
    return this.#status;
  }

  /** It was said that the pod is gone: nothing more is. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the control plane has of it may not be what this agent said last. */
  compare(told: PodStatus): void {
    if (this.#status !== undefined && !saysTheSame(told, this.#status)) this.#sayAgain();
  }

  publish(): void {
    const { host, equipment, pod, seen, isDetached } = this.#pod;
    if (isDetached || this.#isOver) return;
    if (seen.stage === "gone") {
      this.#sayGone();
      return;
    }
    // One that was over before this agent knew it: the control plane knows more than we do.
    if (seen.stage === "finished" && seen.admission === undefined && this.#status !== undefined) return;
    const podIP = equipment.podIP(pod);
    const status = statusOf(pod, seen, {
      nowMs: host.clock.monotonic(),
      wallMs: host.clock.now(),
      hostIP: host.hostAddress,
      ...(podIP === undefined ? {} : { podIP }),
      ...(this.#status === undefined ? {} : { before: this.#status }),
    });
    if (JSON.stringify(status) !== JSON.stringify(this.#status)) this.#record.soon();
    host.gate?.seen?.(pod, status);
    this.#status = status;
    this.#report();
  }

  /** A phase is on disk before it is told: after a power cut this agent must not take back what it said. */
  #report(): void {
    const status = this.#status;
    const { host, pod, leaving, isDetached } = this.#pod;
    if (isDetached || this.#isOver || status === undefined || leaving?.report === false) return;
    if (status.phase === this.#record.savedPhase) {
      host.reporter.report({ key: keyOf(pod), uid: pod.metadata.uid, status });
    } else if (!this.#isSavingPhase) {
      this.#isSavingPhase = true;
      void this.#record.now().then(() => {
        this.#isSavingPhase = false;
        this.#report();
      });
    }
  }

  #sayGone(): void {
    this.#isOver = true;
    const { host, pod, leaving } = this.#pod;
    const { uid } = pod.metadata;
    if (leaving?.report === true) host.reporter.report({ key: keyOf(pod), uid, status: "gone" });
    else host.gone(uid);
  }

  /** Two who contradict each other do so in peace. */
  #sayAgain(): void {
    const { clock, timers, reporter } = this.#pod.host;
    const waitMs = this.#saidAgainAtMs + SAY_AGAIN_MS - clock.monotonic();
    if (waitMs <= 0) {
      this.#saidAgainAtMs = clock.monotonic();
      reporter.sayAgain(this.#pod.pod.metadata.uid);
    } else this.#sayAgainTimer ??= timers.set(waitMs, () => this.#lookBack());
  }

  #lookBack(): void {
    this.#sayAgainTimer = undefined;
    if (!this.#pod.isDetached) this.#pod.compare(this.#pod.pod);
  }
}

/** Conditions of others aside. */
export function saysTheSame(told: PodStatus, own: PodStatus): boolean {
  const conditionsOf = ({ conditions = [] }: PodStatus) =>
    conditions.filter(({ type }) => AGENT_CONDITIONS.includes(type)).toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return (
    isDeepStrictEqual(conditionsOf(told), conditionsOf(own)) &&
    isDeepStrictEqual({ ...told, conditions: [] }, { ...own, conditions: [] })
  );
}
