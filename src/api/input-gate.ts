import type { Socket } from "../http/route.ts";
import type { Clock, Timer } from "../seams/clock.ts";

/** So much of what a client sends may be on its way to its reader; then the client has to wait. */
const MOST_PENDING_BYTES = 256 * 1024;
const ANYBODY_THERE_MS = 1_000;

/**
 * Holds a client back that sends more than is read at the other end. A client that is not read is not heard to go, either:
 * while it is held something is written now and then (`touch`), which fails when nobody is there.
 */
export class InputGate {
  readonly #socket: Pick<Socket, "pause" | "resume">;
  readonly #clock: Clock;
  readonly #touch: () => void;
  #pendingBytes = 0;
  #timer: Timer | undefined;

  constructor(socket: Pick<Socket, "pause" | "resume">, clock: Clock, touch: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#touch = touch;
  }

  /** `taken`: settled when so many bytes are where they belong; undefined when they are. */
  hold(bytes: number, taken: Promise<void> | undefined): void {
    if (!taken) return;
    this.#pendingBytes += bytes;
    const done = () => {
      this.#pendingBytes -= bytes;
      if (this.#timer && this.#pendingBytes <= MOST_PENDING_BYTES / 2) this.close();
    };
    taken.then(done, done);
    if (this.#timer || this.#pendingBytes <= MOST_PENDING_BYTES) return;
    this.#socket.pause?.();
    this.#wait();
  }

  /** Whoever waits may go on. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#socket.resume?.();
  }

  #wait(): void {
    this.#timer = this.#clock.setTimer(ANYBODY_THERE_MS, () => {
      this.#touch();
      this.#wait();
    });
  }
}
