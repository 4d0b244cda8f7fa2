import { keyOf } from "../model/meta.ts";
import type { PodPhase } from "../model/pod.ts";
import { isExclusive } from "../model/when-unreachable.ts";
import type { Timer } from "../seams/clock.ts";
import type { PodRecord } from "./local-record.ts";
import { type PodMemory, recordOf } from "./pod-memory.ts";
import type { WorkerHost } from "./worker-host.ts";

/** Changes to the record that can be learned again are written together. */
const SAVE_AFTER_MS = 500;

/** Whose record it is. */
export interface Recorded {
  readonly isDetached: boolean;
  /** Nothing is left of it: its record goes, too. */
  readonly isOver: boolean;
  readonly memory: PodMemory;
}

/** Writes down what the agent must not forget of one pod: at once where somebody waits for it, or soon. */
export class RecordWriter {
  readonly #host: WorkerHost;
  readonly #recorded: Recorded;
  #leaseTerms: PodRecord["leaseTerms"];
  #savedPhase: PodPhase | undefined;
  #timer: Timer | undefined;

  constructor(host: WorkerHost, recorded: Recorded, leaseTerms: PodRecord["leaseTerms"]) {
    this.#host = host;
    this.#recorded = recorded;
    this.#leaseTerms = leaseTerms;
  }

  /** The phase that is on disk. */
  get savedPhase(): PodPhase | undefined {
    return this.#savedPhase;
  }

  soon(): void {
    if (this.#timer || this.#recorded.isDetached) return;
    this.#timer = this.#host.timers.set(SAVE_AFTER_MS, () => void this.now());
  }

  async now(): Promise<void> {
    this.#timer = undefined;
    const { memory } = this.#recorded;
    if (isExclusive(memory.pod)) this.#leaseTerms = this.#host.leaseTerms() ?? this.#leaseTerms;
    const { clock, log, bootId } = this.#host;
    const now = { monoMs: clock.monotonic(), wallMs: clock.now() };
    const record = recordOf({ ...memory, leaseTerms: this.#leaseTerms }, bootId, now);
    if (this.#recorded.isOver) return;
    try {
      await this.#host.record.save(record);
    } catch (error) {
      // What is asked for is done all the same; a full disk must not stop a pod.
      log.error("a pod's local record cannot be written", {
        pod: keyOf(this.#recorded.memory.pod),
        why: String(error),
      });
      this.soon();
    }
    this.#savedPhase = record.status?.phase;
  }

  /** What was to be written soon is written. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    await this.now();
  }
}
