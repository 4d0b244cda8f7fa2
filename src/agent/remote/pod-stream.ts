import type { Pod } from "../../model/pod.ts";
import type { Assignments } from "../control.ts";
import { ACKNOWLEDGE_CHARS, ACKNOWLEDGE_EVERY, MOST_UNACKNOWLEDGED } from "../frames/limits.ts";
import type { PodsFrame } from "../frames/to-agent.ts";

/** What the other side is to be told after a frame. */
export type Reply = "nothing" | "got";

/**
 * One stream of assignments as it arrives: puts frames into their order, notices what is missing, and puts the parts of
 * "all" together. Nothing of a stream is handed on before what came earlier in it, so a pod's older state never follows
 * a newer one.
 */
export class PodStream {
  readonly number: number;
  readonly #deliver: (assignments: Assignments) => void;
  /** Frames that came before their turn. */
  readonly #early = new Map<number, PodsFrame>();
  #parts: Pod[] = [];
  #sequence = 0;
  /** The highest that the other side is known to have sent. */
  #told = 0;
  #acknowledged = 0;

  constructor(number: number, deliver: (assignments: Assignments) => void) {
    this.number = number;
    this.#deliver = deliver;
  }

  /** Everything up to here has arrived. */
  get sequence(): number {
    return this.#sequence;
  }

  get isBehind(): boolean {
    return this.#told > this.#sequence;
  }

  frame(frame: PodsFrame): Reply {
    const { sequence, size } = frame;
    this.#told = Math.max(this.#told, sequence);
    if (sequence <= this.#sequence) return "nothing";
    if (sequence > this.#sequence + 1) {
      if (this.#early.size < MOST_UNACKNOWLEDGED) this.#early.set(sequence, frame);
      return "nothing";
    }
    let next: PodsFrame | undefined = frame;
    while (next) {
      this.#sequence = next.sequence;
      this.#early.delete(next.sequence);
      this.#take(next);
      next = this.#early.get(this.#sequence + 1);
    }
    const isDue = size > ACKNOWLEDGE_CHARS || this.#sequence - this.#acknowledged >= ACKNOWLEDGE_EVERY;
    return isDue ? "got" : "nothing";
  }

  /** The other side's sign of life: what it has sent, and what it knows to have arrived, as acknowledgements may get lost. */
  sign(sequence: number, acknowledged: number): Reply {
    this.#told = Math.max(this.#told, sequence);
    return acknowledged < this.#sequence ? "got" : "nothing";
  }

  noteAcknowledged(): void {
    this.#acknowledged = this.#sequence;
  }

  #take({ part, pods, removed }: PodsFrame): void {
    if (part === "changed") {
      this.#deliver({ type: "changed", pods, removed });
      return;
    }
    for (const pod of pods) this.#parts.push(pod);
    if (part === "more") return;
    const all = this.#parts;
    this.#parts = [];
    this.#deliver({ type: "all", pods: all, ...(part === "kept" ? { keepsUnknown: true } : {}) });
  }
}
