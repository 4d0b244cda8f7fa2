import { MOST_UNACKNOWLEDGED, MOST_UNACKNOWLEDGED_CHARS } from "../agent/frames/limits.ts";

/** One frame goes out again no more often, however often it is asked for; an agent asks once per second. */
const RESEND_MS = 500;

/** The link that the frames go out on, and its clock. */
export interface Outlet {
  send(frame: string): void;
  monotonic(): number;
}

interface Sent {
  readonly sequence: number;
  readonly text: string;
  /** Not to be sent again before. */
  againMs: number;
}

/** Numbered frames of one stream that are on their way: kept until they are acknowledged, and sent again when the agent misses one. */
export class SendWindow {
  readonly #outlet: Outlet;
  readonly #unacknowledged: Sent[] = [];
  #unacknowledgedChars = 0;
  #sequence = 0;
  #acknowledged = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** Of the last frame. */
  get sequence(): number {
    return this.#sequence;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get hasRoom(): boolean {
    const frames = this.#unacknowledged.length;
    return frames < MOST_UNACKNOWLEDGED && (frames === 0 || this.#unacknowledgedChars < MOST_UNACKNOWLEDGED_CHARS);
  }

  /** Frames that are not acknowledged yet, and their characters. */
  get underWay(): { readonly frames: number; readonly chars: number } {
    return { frames: this.#unacknowledged.length, chars: this.#unacknowledgedChars };
  }

  send(frame: (sequence: number) => string): void {
    const text = frame(++this.#sequence);
    this.#unacknowledged.push({ sequence: this.#sequence, text, againMs: Number.NEGATIVE_INFINITY });
    this.#unacknowledgedChars += text.length;
    this.#outlet.send(text);
  }

  got(sequence: number, isBehind: boolean): void {
    this.#acknowledged = Math.max(this.#acknowledged, Math.min(sequence, this.#sequence));
    while (this.#unacknowledged.length > 0) {
      const [first] = this.#unacknowledged;
      if (first === undefined || first.sequence > sequence) break;
      this.#unacknowledgedChars -= first.text.length;
      this.#unacknowledged.shift();
    }
    if (isBehind) this.#sendAgain();
  }

  #sendAgain(): void {
    const nowMs = this.#outlet.monotonic();
    for (const frame of this.#unacknowledged) {
      if (frame.againMs > nowMs) continue;
      frame.againMs = nowMs + RESEND_MS;
      this.#outlet.send(frame.text);
    }
  }
}
