/**
 * What keeps pods of which there may be one only from running twice: this node's lease. The control plane starts such a
 * pod elsewhere after `exclusiveMs` of silence at the earliest; this node, counting from when it sent the last heartbeat
 * that was answered, begins to stop it after half of that and has killed it after three quarters. What outlives the
 * agent (guard.ts) kills at four fifths.
 *
 * Once shut, the fence opens again only when the lease is valid and the control plane has said, asked after that, that
 * the pods are still this node's.
 */
import type { LeaseTerms } from "../model/heartbeat.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { HeartbeatNews } from "./heartbeat/heartbeat-loop.ts";

export interface Lease {
  /** When the heartbeat (or the refused attempt) that it rests on was sent. */
  readonly sentAtMs: number;
  readonly terms: LeaseTerms;
}

export type LeaseState =
  | { readonly kind: "valid"; readonly untilMs: number }
  | { readonly kind: "stopping"; readonly deadAtMs: number }
  | { readonly kind: "over" };

const STOP_SHARE = 1 / 2;
const DEAD_SHARE = 3 / 4;
export const GUARD_SHARE = 4 / 5;

/** Pure. */
export function leaseState({ sentAtMs, terms }: Lease, nowMs: number): LeaseState {
  if (terms.exclusiveMs === undefined) return { kind: "valid", untilMs: Number.POSITIVE_INFINITY };
  const [stopAtMs, deadAtMs] = [sentAtMs + terms.exclusiveMs * STOP_SHARE, sentAtMs + terms.exclusiveMs * DEAD_SHARE];
  if (nowMs < stopAtMs) return { kind: "valid", untilMs: stopAtMs };
  return nowMs < deadAtMs ? { kind: "stopping", deadAtMs } : { kind: "over" };
}

/** Why an exclusive pod may not be started now. With `stopByMs`: what runs of it has ended by then. */
export interface FenceWord {
  readonly words: string;
  readonly stopByMs?: number;
}

export interface FenceHost {
  readonly clock: Clock;
  /** Pods may have to be stopped, or may start again. */
  changed(): void;
  /** Wants to know what is assigned, asked from now on; `ticket` goes to `told` with the answer. */
  ask(ticket: number): void;
}

const CUT_OFF = "fenced: this host cannot reach the control plane, which may start it elsewhere";
const WITHHELD = "fenced: the control plane gives it to another host";
const UNKNOWN = "fenced: the control plane does not know this host, and may start it elsewhere";
const NOT_YET = "waits until the control plane says that it is still this host's";

export class Fence {
  readonly #host: FenceHost;
  #lease: Lease;
  /** No lease of this agent's own yet: what an earlier one had is guessed at, for what runs already. */
  #isGuess = true;
  #isOpen = false;
  #isWithheld = false;
  /** When everything must have ended; undefined while what runs may run on. */
  #stopByMs: number | undefined;
  #why = NOT_YET;
  #ticket = 0;
  #asked = 0;
  #timer: Timer | undefined;

  /** `terms`: of the pods that an earlier agent left running. */
  constructor(host: FenceHost, terms: LeaseTerms) {
    this.#host = host;
    this.#lease = { sentAtMs: host.clock.monotonic(), terms };
    this.#watch();
  }

  /** Undefined until there is an answer, or a refusal, in this agent's time. */
  get lease(): Lease | undefined {
    return this.#isGuess ? undefined : this.#lease;
  }

  /** About every pod of which there may be one only; undefined: it may run. */
  get word(): FenceWord | undefined {
    this.#check();
    if (this.#lease.terms.exclusiveMs === undefined || this.#isOpen) return undefined;
    this.#askIfUseful();
    return { words: this.#why, ...(this.#stopByMs === undefined ? {} : { stopByMs: this.#stopByMs }) };
  }

  heard({ sentAtMs, outcome, known, terms }: HeartbeatNews): void {
    // What has lapsed by now has lapsed, whatever is heard in the same moment.
    this.#check();
    const before = this.#isValid && !this.#isGuess;
    const givesNothingAway = terms !== undefined && terms.exclusiveMs === undefined;
    if (outcome === "withheld" && !givesNothingAway) {
      this.#isWithheld = true;
      this.#shut(this.#host.clock.monotonic(), known ? WITHHELD : UNKNOWN);
    } else {
      if (outcome === "renewed") this.#isWithheld = false;
      this.#lease = { sentAtMs, terms: terms ?? this.#lease.terms };
      this.#isGuess = false;
      this.#watch();
    }
    if (before || !this.#isValid) return;
    this.#ticket++;
    this.#host.changed();
  }

  /** What is assigned has been said, and acted upon. */
  told(ticket: number): void {
    this.#check();
    if (this.#isOpen || this.#isGuess || ticket !== this.#ticket || !this.#isValid) return;
    this.#isOpen = true;
    this.#stopByMs = undefined;
    this.#host.changed();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get #isValid(): boolean {
    return !this.#isWithheld && this.#isInTime;
  }

  get #isInTime(): boolean {
    return leaseState(this.#lease, this.#host.clock.monotonic()).kind === "valid";
  }

  #check(): void {
    const { sentAtMs, terms } = this.#lease;
    if (terms.exclusiveMs !== undefined && !this.#isInTime)
      this.#shut(sentAtMs + terms.exclusiveMs * DEAD_SHARE, CUT_OFF);
  }

  /** For good, until it is told again. */
  #shut(byMs: number, why: string): void {
    if (this.#stopByMs !== undefined && this.#stopByMs <= byMs) return;
    this.#isOpen = false;
    this.#stopByMs = byMs;
    this.#why = why;
    this.#ticket++;
    this.#host.changed();
  }

  #askIfUseful(): void {
    if (this.#asked === this.#ticket || this.#isGuess || !this.#isValid) return;
    this.#asked = this.#ticket;
    this.#host.ask(this.#ticket);
  }

  /** One timer, that looks again when it is due: most of the time the lease has been renewed meanwhile. */
  #watch(): void {
    const { clock } = this.#host;
    const state = leaseState(this.#lease, clock.monotonic());
    if (this.#timer !== undefined || state.kind !== "valid" || !Number.isFinite(state.untilMs)) return;
    this.#timer = clock.setTimer(state.untilMs - clock.monotonic(), () => {
      this.#timer = undefined;
      this.#check();
      this.#watch();
    });
  }
}
