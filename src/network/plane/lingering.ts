/** Pods of this node to which services have ceased to lead, and how long each of them stays for what was sent to it before. */
import type { Clock } from "../../seams/clock.ts";

/**
 * A packet that was lost is sent again after a second (RFC 6298): the first of a connection goes, by the sender's own kernel, to the pod that was
 * chosen for it, although nobody new is sent there any more.
 */
const LINGER_MS = 1_100;
/** By then whoever waits for it has long asked. */
const FORGOTTEN_MS = 10_000;

export class Lingering {
  readonly #clock: Clock;
  /** Pod → since when, the longest ago first. */
  readonly #leftMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  left(uids: Iterable<string>): void {
    const nowMs = this.#clock.monotonic();
    for (const [uid, leftMs] of this.#leftMs) {
      if (nowMs - leftMs < FORGOTTEN_MS) break;
      this.#leftMs.delete(uid);
    }
    for (const uid of uids) {
      this.#leftMs.delete(uid);
      this.#leftMs.set(uid, nowMs);
    }
  }

  /** Somebody was sent there until lately. */
  hasLeft(uid: string): boolean {
    return this.#leftMs.has(uid);
  }

  /** It has. `isJust`: the last node has only now heard that it left. Monotonic; undefined: nobody was ever sent there, or long ago. */
  untilMs(uid: string, isJust: boolean): number | undefined {
    const leftMs = this.#leftMs.get(uid);
    if (leftMs === undefined) return undefined;
    return (isJust ? this.#clock.monotonic() : leftMs) + LINGER_MS;
  }
}
