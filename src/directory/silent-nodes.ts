import type { Goodbye, Heartbeat, HeartbeatAnswer, LeaseDesk } from "../model/heartbeat.ts";
import type { Clock, Timer } from "../seams/clock.ts";

export interface SilenceTerms {
  readonly heartbeatMs: number;
  readonly avoidAfterMs: number;
}

export interface SilentNodesOptions {
  /** Where the heartbeats go on to. */
  readonly desk: LeaseDesk;
  readonly clock: Clock;
  readonly terms: () => SilenceTerms;
  /** Whether there still is such a node. */
  readonly isKnown: (node: string) => boolean;
  readonly changed: (silent: ReadonlySet<string>) => void;
}

/** An agent that beats on time is this late at most when a host is busy. */
const LATE_MS = 250;
/** Nodes that are there and were not heard since we listen: their agents are looking for us. */
const EXPECTED_MS = 5_000;
/** Who is silent for longer than this is no news: it is counted neither among the silent nor among all. */
const RECENT_MS = 60_000;
const LOOK_AGAIN_MS = 200;
/** Who was named for so long was not just late. */
const AWAY_MS = 3_000;
const MOST_DOUBLINGS = 3;
/** A timer that comes so late: we stood still, and cannot tell who was silent. */
const STALL_MS = 300;

/**
 * Nodes whose heartbeat is late, told long before they count as unreachable: traffic then asks for itself whether it reaches them.
 * A beat costs a place at the end of a row; only who stands at its front is ever looked at. Never so many at once are named that the fault
 * must be ours.
 */
export class SilentNodes implements LeaseDesk {
  readonly #options: SilentNodesOptions;
  /** Node → when it was heard last, the longest ago first. */
  readonly #heard = new Map<string, number>();
  readonly #expected = new Set<string>();
  /** Node → since when it is named. */
  readonly #silent = new Map<string, number>();
  /** Nodes that were named and heard again: how often in a row, and when last. */
  readonly #returns = new Map<string, { readonly times: number; readonly atMs: number }>();
  #expectUntilMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(options: SilentNodesOptions) {
    this.#options = options;
  }

  get silent(): ReadonlySet<string> {
    return new Set(this.#silent.keys());
  }

  /** These are there, and will be heard if they live. */
  expect(nodes: Iterable<string>): void {
    for (const node of nodes) if (!this.#heard.has(node)) this.#expected.add(node);
    this.#expectUntilMs = this.#options.clock.monotonic() + EXPECTED_MS;
    this.#lookSoon();
  }

  beat(beat: Heartbeat): HeartbeatAnswer {
    const { node } = beat;
    // A Map's order is that of setting: who is heard goes to its end.
    this.#heard.delete(node);
    this.#heard.set(node, this.#options.clock.monotonic());
    this.#expected.delete(node);
    const sinceMs = this.#silent.get(node);
    if (this.#silent.delete(node)) this.#returned(node, sinceMs ?? 0);
    if (this.#timer === undefined) this.#lookSoon();
    return this.#options.desk.beat(beat);
  }

  /**
   * One that comes and goes is waited for twice as long each time: every naming is news to all nodes. Not one that was away for good, a
   * host that was off: when it goes again it is gone.
   */
  #returned(node: string, sinceMs: number): void {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - sinceMs < AWAY_MS) this.#returns.set(node, { times: this.#returnsOf(node, nowMs) + 1, atMs: nowMs });
    this.#options.changed(this.silent);
  }

  #returnsOf(node: string, nowMs: number): number {
    const { times, atMs } = this.#returns.get(node) ?? { times: 0, atMs: nowMs };
    if (nowMs - atMs < RECENT_MS) return times;
    this.#returns.delete(node);
    return 0;
  }

  goodbye(goodbye: Goodbye): void | Promise<void> {
    return this.#options.desk.goodbye(goodbye);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  get #lapseMs(): number {
    const { heartbeatMs, avoidAfterMs } = this.#options.terms();
    return Math.max(avoidAfterMs, heartbeatMs + LATE_MS);
  }

  #lookSoon(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isStopped || this.#heard.size + this.#expected.size === 0) return;
    const nowMs = this.#options.clock.monotonic();
    const [oldest = Number.POSITIVE_INFINITY] = this.#heard.values();
    const expectedMs = this.#expected.size > 0 ? this.#expectUntilMs : Number.POSITIVE_INFINITY;
    const atMs = Math.min(oldest + this.#lapseMs, expectedMs);
    // What is due and was not named is held back, and looked at again.
    const waitMs = atMs <= nowMs ? LOOK_AGAIN_MS : atMs - nowMs;
    this.#dueAtMs = nowMs + waitMs;
    this.#timer = this.#options.clock.setTimer(waitMs, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonic();
    const lateMs = nowMs - this.#dueAtMs;
    if (lateMs >= STALL_MS) this.#forgive(nowMs);
    const due = this.#due(nowMs);
    if (due.length > 0 && !this.#isMass(due.length, nowMs)) this.#name(due, nowMs);
    this.#lookSoon();
  }

  #name(due: readonly string[], nowMs: number): void {
    for (const node of due) {
      this.#heard.delete(node);
      this.#expected.delete(node);
      this.#silent.set(node, nowMs);
    }
    this.#options.changed(this.silent);
  }

  /** What was said while we stood still is still to be read. */
  #forgive(nowMs: number): void {
    for (const node of this.#heard.keys()) this.#heard.set(node, nowMs);
    this.#expectUntilMs = Math.max(this.#expectUntilMs, nowMs + this.#lapseMs);
  }

  #due(nowMs: number): readonly string[] {
    const due: string[] = [];
    const lapseMs = this.#lapseMs;
    for (const [node, heardMs] of this.#heard) {
      if (heardMs + lapseMs > nowMs) break;
      const patience = 2 ** Math.min(this.#returnsOf(node, nowMs), MOST_DOUBLINGS);
      if (heardMs + lapseMs * patience <= nowMs) due.push(node);
    }
    if (nowMs >= this.#expectUntilMs) due.push(...this.#expected);
    return due.filter((node) => this.#isThere(node));
  }

  #isThere(node: string): boolean {
    if (this.#options.isKnown(node)) return true;
    this.#heard.delete(node);
    this.#expected.delete(node);
    this.#returns.delete(node);
    return false;
  }

  #isMass(due: number, nowMs: number): boolean {
    let recent = due;
    for (const [node, sinceMs] of this.#silent) {
      if (!this.#options.isKnown(node)) this.#silent.delete(node);
      else if (nowMs - sinceMs < RECENT_MS) recent++;
    }
    const all = this.#heard.size + this.#expected.size + recent - due;
    return all > 2 && recent * 2 > all;
  }
}
