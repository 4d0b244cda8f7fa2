import { ApiError } from "../../model/errors.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { LinkError } from "../../seams/link.ts";
import type { Call } from "../frames/call.ts";
import { MOST_CALLS, STALL_MS } from "../frames/limits.ts";
import type { ToAgent } from "../frames/to-agent.ts";
import { callFrame } from "../frames/to-dispatcher.ts";

interface Waiting {
  readonly text: string;
  sinceMs: number;
  /** When it is to be said again; the pause doubles. */
  againAtMs: number;
  pauseMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 1_000;
/** Calls that wait are looked at this often. */
const LOOK_MS = 500;

/**
 * Calls under way. Each is said again, with its number, until it is answered or 10 s have passed; the dispatcher carries
 * out each number once, whatever the link repeats and over whichever link it comes.
 */
export class Calls {
  readonly #clock: Clock;
  readonly #session: string;
  readonly #send: (frame: string) => void;
  /** In order of number, as they were made. */
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** Calls up to this one have been said; more are said as the first ones are over. */
  #said = 0;
  #timer: Timer | undefined;
  #lookAtMs = 0;

  constructor(clock: Clock, session: string, send: (frame: string) => void) {
    this.#clock = clock;
    this.#session = session;
    this.#send = send;
  }

  /** Rejects with ApiError when it was refused, with LinkError when no answer came in time. */
  call(call: Call): Promise<unknown> {
    return this.begin(JSON.stringify(call)).answer;
  }

  /** `text`: the call's JSON. `giveUp`: the answer is no longer of interest, and if the call has not been carried out by then it will not be. */
  begin(text: string): { readonly answer: Promise<unknown>; giveUp(): void } {
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const sinceMs = this.#clock.monotonic();
    const pauseMs = FIRST_PAUSE_MS;
    const waiting = { text, sinceMs, againAtMs: sinceMs + pauseMs, pauseMs, resolve, reject };
    this.#waiting.set(id, waiting);
    this.#sayNext();
    if (this.#timer === undefined) this.#lookSoon();
    return { answer: promise, giveUp: () => this.#drop(id, new LinkError("given up", false)) };
  }

  answered(frame: Extract<ToAgent, { type: "done" | "refused" }>): void {
    const waiting = this.#waiting.get(frame.id);
    if (!waiting) return;
    this.#waiting.delete(frame.id);
    if (frame.type === "done") waiting.resolve(frame.result);
    else waiting.reject(new ApiError(frame.reason, frame.message));
    this.#rest();
  }

  /** Over a new link everything that waits is said again, in its order. */
  sayAgain(): void {
    for (const [id, waiting] of this.#waiting) if (id <= this.#said) this.#say(id, waiting);
  }

  close(error: LinkError): void {
    for (const id of [...this.#waiting.keys()]) this.#drop(id, error);
  }

  #drop(id: number, error: LinkError): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.reject(error);
    this.#rest();
  }

  /** The lowest number that still waits. */
  get #floor(): number {
    const [first = this.#last] = this.#waiting.keys();
    return first;
  }

  /** No more at once than the dispatcher keeps answers of one agent. */
  #sayNext(): void {
    while (this.#said < this.#last && this.#said + 1 < this.#floor + MOST_CALLS) {
      const waiting = this.#waiting.get(++this.#said);
      if (waiting) this.#say(this.#said, waiting);
    }
  }

  #say(id: number, { text }: Waiting): void {
    this.#send(callFrame(this.#session, id, this.#floor, text));
  }

  #lookSoon(): void {
    this.#lookAtMs = this.#clock.monotonic() + LOOK_MS;
    this.#timer = this.#clock.setTimer(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#clock.monotonic();
    this.#forgive(nowMs - this.#lookAtMs);
    for (const [id, waiting] of this.#waiting) {
      if (nowMs - waiting.sinceMs >= LIMIT_MS) {
        this.#drop(id, new LinkError(`the control plane did not answer within ${LIMIT_MS / 1000} s`, false));
      } else if (id <= this.#said && nowMs >= waiting.againAtMs) {
        waiting.pauseMs *= 2;
        waiting.againAtMs = nowMs + waiting.pauseMs;
        this.#say(id, waiting);
      }
    }
    if (this.#waiting.size === 0) this.#timer = undefined;
    else this.#lookSoon();
  }

  /** While this process stood still it read no answers: what was said meanwhile is still to be read. */
  #forgive(lateMs: number): void {
    if (lateMs < STALL_MS) return;
    for (const waiting of this.#waiting.values()) {
      waiting.sinceMs += lateMs;
      waiting.againAtMs += lateMs;
    }
  }

  /** When nothing waits there is no timer either. */
  #rest(): void {
    this.#sayNext();
    if (this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
