/** Whose lease has run out: that is taken for real unless the brake holds it, and not while we could hear nobody. */
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { HeldNodes } from "./held-nodes.ts";
import { stallGraceMs } from "./lease.ts";
import type { Leases } from "./leases.ts";
import { Listening } from "./listening.ts";
import type { Looks } from "./looks.ts";
import type { TermsInForce } from "./terms-in-force.ts";

export interface SilenceWatchParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly leases: Leases;
  readonly terms: TermsInForce;
  readonly held: HeldNodes;
  readonly looks: Looks;
}

export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  readonly #listening: Listening;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
    this.#listening = new Listening(parts.clock.monotonic());
  }

  /** Nobody's silence counts for `startGraceMs`: while we did not run we could hear nobody. */
  begin(nowMs: number): void {
    const { leases, terms } = this.#parts;
    this.#listening.restart(nowMs);
    leases.renewAll(nowMs, terms.settings.startGraceMs);
  }

  /** What came in while we stood still may not have been heard yet. */
  forgive(stoodMs: number, nowMs: number): void {
    const { log, leases, terms } = this.#parts;
    const graceMs = stallGraceMs(stoodMs, terms.settings);
    log.warn("stood still: nobody's silence counts for a while", { stoodMs: Math.round(stoodMs), graceMs });
    this.#listening.restart(nowMs);
    leases.renewAll(nowMs, graceMs);
    // Who was silent before is not waited for as long as the others.
    leases.scheduleAll(terms.settings);
  }

  judge(nowMs: number): void {
    const { leases, terms, held, looks } = this.#parts;
    for (const { node } of this.#listening.take(leases.values(), nowMs, terms.settings)) looks.touch(node);
    const expired = leases.expire(nowMs, terms.settings);
    if (expired.length > 0) held.judge(nowMs);
    for (const lease of expired) {
      lease.hasBeaten = false;
      if (!held.holds(lease.node)) leases.lose(lease, nowMs);
      looks.mark(lease.node);
    }
  }
}
