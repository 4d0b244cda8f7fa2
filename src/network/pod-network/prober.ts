/** Whether pods of other nodes are reached, and how fast: asked of their hosts' addresses on the pod network, some of them in each round. */
import type { LostProbes } from "../../model/network-report.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { Losses } from "./losses.ts";
import type { Dial } from "./tcp-ping.ts";

export interface Seen {
  readonly state: "reachable" | "unreachable" | "unknown";
  readonly rttMs?: number;
  /** In a row. */
  readonly failures: number;
  readonly atMs: number;
}

export interface Probed {
  readonly node: string;
  /** Of its end. */
  readonly gateway: string;
}

export interface ProberOptions {
  readonly clock: Clock;
  readonly dial: Dial;
  readonly from: () => string | undefined;
  /** After every round: something may have to be decided. */
  readonly onRound: () => void;
}

/** A thousand nodes must not ask each other all at once: those that were not asked for longest, and those that did not answer. */
const PEERS_A_ROUND = 16;
/** Those that have just failed cost a packet each, and whoever waits for them waits for all of them. */
const MOST_FAILING_A_ROUND = 64;
/** A way that is broken is found in about a minute, however many there are: of 1,000 nodes 77 are asked in a round. */
const MOST_ROUNDS = 13;
const ROUND_MS = 5_000;
/** While a node does not answer, so that a way that led nowhere once is known within seconds. */
const HURRIED_ROUND_MS = 1_000;
const MOST_FAILURES_IN_HURRY = 10;
const ANSWER_MS = 1_000;
/** A round that took longer was held up by this host itself: what it did not hear says nothing of a link. */
const HELD_UP_MS = 1_500;

const NEVER: Seen = { state: "unknown", failures: 0, atMs: Number.NEGATIVE_INFINITY };

export class Prober {
  readonly #options: ProberOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #losses = new Losses();
  #peers: readonly Probed[] = [];
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  setPeers(peers: readonly Probed[]): void {
    const names = new Set(peers.map(({ node }) => node));
    for (const node of [...this.#seen.keys()]) if (!names.has(node)) this.#seen.delete(node);
    this.#losses.keepOnly(names);
    const isNew = peers.some(({ node }) => !this.#seen.has(node));
    this.#peers = peers;
    if (isNew) this.#later(0);
  }

  seen(node: string): Seen {
    return this.#seen.get(node) ?? NEVER;
  }

  /** Of the probes of some minutes; undefined: as few as a healthy link may lose. */
  loss(node: string): LostProbes | undefined {
    return this.#losses.of(node);
  }

  /** Another way leads there now: what was seen says nothing of it. */
  forget(node: string): void {
    this.#seen.set(node, NEVER);
    this.#losses.forget(node);
    this.#later(0);
  }

  /** Now, whatever was seen before. */
  async ask(peer: Probed, signal: AbortSignal): Promise<number | undefined> {
    const { dial, from, clock } = this.#options;
    const sender = from();
    try {
      const rttMs = await dial({ to: peer.gateway, ...(sender === undefined ? {} : { from: sender }) }, signal);
      this.#seen.set(peer.node, { state: "reachable", rttMs, failures: 0, atMs: clock.monotonic() });
      return rttMs;
    } catch {
      // Whatever the reason: it was not reached.
      const failures = this.seen(peer.node).failures + 1;
      this.#seen.set(peer.node, { state: "unreachable", failures, atMs: clock.monotonic() });
      return undefined;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #later(ms: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(ms, () => void this.#round());
  }

  async #round(): Promise<void> {
    const { clock, onRound } = this.#options;
    const tooLate = new AbortController();
    const timer = clock.setTimer(ANSWER_MS, () => tooLate.abort());
    const [asked, beganMs] = [this.#next(), clock.monotonic()];
    const answers = await Promise.all(asked.map((peer) => this.ask(peer, tooLate.signal)));
    timer.cancel();
    if (clock.monotonic() - beganMs < HELD_UP_MS)
      for (const [at, { node }] of asked.entries()) this.#losses.record(node, answers[at] === undefined);
    if (this.#isStopped) return;
    onRound();
    this.#later(this.#peers.some((peer) => this.#isUrgent(peer)) ? HURRIED_ROUND_MS : ROUND_MS);
  }

  #isUrgent({ node }: Probed): boolean {
    const { failures, atMs } = this.seen(node);
    if (atMs === Number.NEGATIVE_INFINITY) return true;
    return failures === 0 ? this.#losses.isDoubtful(node) : failures < MOST_FAILURES_IN_HURRY;
  }

  /** Those first that failed most often, as they are nearest to another way; then those that were never asked, or not for longest. */
  #next(): readonly Probed[] {
    const most = Math.max(PEERS_A_ROUND, Math.ceil(this.#peers.length / MOST_ROUNDS));
    const failuresOf = ({ node }: Probed) => this.seen(node).failures;
    const failing = this.#peers
      .filter((peer) => this.#isUrgent(peer) && this.seen(peer.node).state !== "unknown")
      .sort((a, b) => failuresOf(b) - failuresOf(a))
      .slice(0, MOST_FAILING_A_ROUND);
    const chosen = new Set(failing);
    const atMs = ({ node }: Probed) => this.seen(node).atMs;
    const others = this.#peers
      .filter((peer) => !chosen.has(peer))
      .sort((a, b) => (atMs(a) === atMs(b) ? 0 : atMs(a) < atMs(b) ? -1 : 1));
    return [...failing, ...others.slice(0, most - Math.min(failing.length, Math.floor(most / 2)))];
  }
}
