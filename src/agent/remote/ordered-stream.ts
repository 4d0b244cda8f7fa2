import { ACKNOWLEDGE_CHARS, ACKNOWLEDGE_EVERY, MOST_UNACKNOWLEDGED } from "../frames/limits.ts";

/** What the other side is to be told after a frame. */
export type Reply = "nothing" | "got";

export interface OrderedFrame {
  readonly sequence: number;
  /** Characters of the frame. */
  readonly size: number;
}

/**
 * One stream of frames as it arrives: puts them into their order and notices what is missing. Nothing of a stream is handed on
 * before what came earlier in it, so an older state never follows a newer one.
 */
export class OrderedStream<F extends OrderedFrame> {
  readonly number: number;
  readonly #take: (frame: F) => void;
  /** Frames that came before their turn. */
  readonly #early = new Map<number, F>();
  #sequence = 0;
  /** The highest that the other side is known to have sent. */
  #told = 0;
  #acknowledged = 0;

  constructor(number: number, take: (frame: F) => void) {
    this.number = number;
    this.#take = take;
  }

  /** Everything up to here has arrived. */
  get sequence(): number {
    return this.#sequence;
  }

  get isBehind(): boolean {
    return this.#told > this.#sequence;
  }

  frame(frame: F): Reply {
    const { sequence, size } = frame;
    this.#told = Math.max(this.#told, sequence);
    if (sequence <= this.#sequence) return "nothing";
    if (sequence > this.#sequence + 1) {
      if (this.#early.size < MOST_UNACKNOWLEDGED) this.#early.set(sequence, frame);
      return "nothing";
    }
    let next: F | undefined = frame;
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
}
