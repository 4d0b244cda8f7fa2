import { backoffMs } from "../../lib/backoff.ts";
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { type Dialer, type Link, LinkError, type LinkListener } from "../../seams/link.ts";
import type { Random } from "../../seams/random.ts";
import { FrameError } from "../frames/shape.ts";
import { parseToAgent, type ToAgent } from "../frames/to-agent.ts";
import { beatFrame } from "../frames/to-dispatcher.ts";
import { dialRound } from "./dial.ts";

interface Waiting {
  readonly frame: string;
  readonly sentAtMs: number;
  readonly resolve: (answer: HeartbeatAnswer) => void;
  readonly reject: (error: LinkError) => void;
}

export interface HeartbeatLinkOptions {
  readonly dialers: readonly Dialer[];
  readonly clock: Clock;
  readonly random: Random;
}

/** A heartbeat that was not answered for so long is over. The caller stops waiting for it earlier, but takes a late answer. */
const LIMIT_MS = 10_000;
/** After so much silence on a link another is dialed; the old one is used until that is open. */
const DOUBT_MS = 2_500;
const DIAL_LIMIT_MS = 2_000;
const REFUSED_BACKOFF = { initialMs: 200, factor: 2, maxMs: 5_000 };
/** Shorter than what is left of the time until a silent node is unreachable. */
const SILENCE_BACKOFF = { initialMs: 200, factor: 2, maxMs: 1_000 };

/**
 * Heartbeats, on a link that carries nothing else. It has no rhythm of its own: each heartbeat that finds no link dials
 * one, unless the last attempt was a moment ago.
 */
export class HeartbeatLink {
  readonly #options: HeartbeatLinkOptions;
  readonly #closing = new AbortController();
  /** In order of number. */
  readonly #waiting = new Map<number, Waiting>();
  #link: Link | undefined;
  #ears: { isOver: boolean } | undefined;
  #heardAtMs = 0;
  #isDialing = false;
  #dialAgainAtMs = 0;
  #failures = 0;
  #failure = "no link yet";
  #last = 0;
  #timer: Timer | undefined;

  constructor(options: HeartbeatLinkOptions) {
    this.#options = options;
  }

  /**
   * Resolves also late. Rejects with a LinkError that is `refused` only when every address refused an attempt that was
   * begun after this heartbeat was asked for: only then the control plane did not run at some moment since.
   */
  send(beat: Heartbeat): Promise<HeartbeatAnswer> {
    const { clock } = this.#options;
    if (this.#closing.signal.aborted) return Promise.reject(new LinkError("this side has closed the link", false));
    const sentAtMs = clock.monotonic();
    if (this.#link === undefined && !this.#isDialing && sentAtMs < this.#dialAgainAtMs) {
      return Promise.reject(new LinkError(this.#failure, false));
    }
    const { promise, resolve, reject } = Promise.withResolvers<HeartbeatAnswer>();
    const id = ++this.#last;
    const frame = beatFrame(id, beat);
    this.#waiting.set(id, { frame, sentAtMs, resolve, reject });
    this.#timer ??= clock.setTimer(LIMIT_MS, () => this.#expire());
    this.#link?.send(frame);
    if (this.#needsLink(sentAtMs)) void this.#dial(id, sentAtMs);
    return promise;
  }

  close(reason: string): void {
    const error = new LinkError(reason, false);
    this.#closing.abort(error);
    this.#leave(reason);
    this.#rejectUpTo(this.#last, error);
    this.#timer?.cancel();
  }

  #needsLink(nowMs: number): boolean {
    if (this.#isDialing || nowMs < this.#dialAgainAtMs) return false;
    if (this.#link === undefined) return true;
    const [oldest] = this.#waiting.values();
    return oldest !== undefined && nowMs - Math.max(oldest.sentAtMs, this.#heardAtMs) >= DOUBT_MS;
  }

  /** `id`: the heartbeat that this attempt began with. */
  async #dial(id: number, beganAtMs: number): Promise<void> {
    const { dialers, clock } = this.#options;
    const ears = this.#newEars();
    this.#isDialing = true;
    try {
      const bounds = { clock, limitMs: DIAL_LIMIT_MS, signal: this.#closing.signal };
      this.#open(await dialRound(dialers, ears, bounds), ears);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.#noteFailure(error, id, beganAtMs);
    } finally {
      this.#isDialing = false;
    }
  }

  #open(link: Link, ears: { isOver: boolean; wasClosed: boolean }): void {
    this.#leave("another link was opened");
    if (ears.wasClosed) return;
    this.#link = link;
    this.#ears = ears;
    this.#heardAtMs = this.#options.clock.monotonic();
    for (const { frame } of this.#waiting.values()) link.send(frame);
  }

  #noteFailure(error: LinkError, id: number, beganAtMs: number): void {
    const { clock, random } = this.#options;
    const rules = error.refused ? REFUSED_BACKOFF : SILENCE_BACKOFF;
    const pauseMs = backoffMs(rules, ++this.#failures) * (0.5 + random.next() / 2);
    // Silence has taken its time already: counted from the begin, the rhythm stays.
    this.#dialAgainAtMs = (error.refused ? clock.monotonic() : beganAtMs + DIAL_LIMIT_MS) + pauseMs;
    this.#failure = error.message;
    if (error.refused) this.#rejectUpTo(id, error);
    // What was sent over a link may still be answered.
    if (this.#link === undefined) this.#rejectUpTo(this.#last, new LinkError(error.message, false));
  }

  #newEars(): LinkListener & { isOver: boolean; wasClosed: boolean } {
    const ears = {
      isOver: false,
      wasClosed: false,
      frame: (text: string) => {
        if (!ears.isOver) this.#heard(text);
      },
      closed: () => {
        ears.wasClosed = true;
        // The next heartbeat dials: those who lost the same control plane beat at different moments.
        if (this.#ears === ears) this.#leave("closed by the other side");
      },
    };
    return ears;
  }

  #heard(text: string): void {
    let frame: ToAgent;
    try {
      frame = parseToAgent(text);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // Not an answer; silence does the rest.
      return;
    }
    if (frame.type !== "beat") return;
    this.#heardAtMs = this.#options.clock.monotonic();
    this.#failures = 0;
    this.#waiting.get(frame.id)?.resolve(frame.answer);
    this.#waiting.delete(frame.id);
  }

  #leave(reason: string): void {
    const link = this.#link;
    if (this.#ears) this.#ears.isOver = true;
    this.#link = undefined;
    this.#ears = undefined;
    link?.close(reason);
  }

  #rejectUpTo(id: number, error: LinkError): void {
    for (const [waitingId, waiting] of this.#waiting) {
      if (waitingId > id) return;
      this.#waiting.delete(waitingId);
      waiting.reject(error);
    }
  }

  /** One timer for all that wait, however many there are. */
  #expire(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    for (const [id, waiting] of this.#waiting) {
      if (nowMs - waiting.sentAtMs < LIMIT_MS) break;
      this.#waiting.delete(id);
      waiting.reject(new LinkError(`no answer within ${LIMIT_MS / 1000} s`, false));
    }
    const [oldest] = this.#waiting.values();
    this.#timer =
      oldest === undefined ? undefined : clock.setTimer(oldest.sentAtMs + LIMIT_MS - nowMs, () => this.#expire());
  }
}
