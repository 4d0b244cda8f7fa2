import { backoffMs } from "../../lib/backoff.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { type Dialer, type Link, LinkError, type LinkListener } from "../../seams/link.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import { AGENT_PATIENCE_MS, STALL_MS } from "../frames/limits.ts";
import { dialRound } from "./dial.ts";

export interface RemoteOptions {
  /** The control plane's addresses, tried in turn; asked for with each round. */
  readonly dialers: readonly Dialer[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Told as seldom as the log: why there is no link, or undefined when there is one again. */
  readonly onLink?: (problem: string | undefined) => void;
}

export interface ConnectionListener {
  opened(link: Link): void;
  frame(text: string): void;
  bytes(frame: Uint8Array): void;
  /** The link that was opened last is gone. */
  lost(reason: string): void;
}

const DIAL_LIMIT_MS = 3_000;
/** Low, so that after a day everybody is back well within the grace that the control plane gives after its start (30 s). */
const REFUSED_BACKOFF = { initialMs: 400, factor: 2, maxMs: 5_000 };
/** Another reason for the same trouble is logged no more often. */
const SAY_AGAIN_MS = 10_000;
/** An attempt that met silence has waited already, and there is no crowd to spread. */
const SILENCE_BACKOFF = { initialMs: 400, factor: 2, maxMs: 2_000 };

/** Keeps one link to the control plane open: dials again when it breaks, or when nothing was heard on it for too long. */
export class Connection {
  readonly #options: RemoteOptions;
  readonly #listener: ConnectionListener;
  readonly #closing = new AbortController();
  #link: Link | undefined;
  #lost: ((reason: string) => void) | undefined;
  #heardAtMs = 0;
  #failures = 0;
  #isAway = false;
  /** Why there is no link, as it was logged last, and when. */
  #why = "";
  #saidAtMs = 0;
  #problem = "";

  constructor(options: RemoteOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
  }

  start(): void {
    void this.#run();
  }

  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** When something was last heard, on the monotonic clock. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Why there is no link, in words; empty before the first attempt. */
  get problem(): string {
    return this.#problem;
  }

  /** The link is of no use: another is dialed. */
  leave(reason: string): void {
    this.#lost?.(reason);
  }

  /** Says nothing when there is no link: who needs an answer says it again. */
  send(frame: string): void {
    this.#link?.send(frame);
  }

  close(reason: string): void {
    this.#closing.abort(new LinkError(reason, false));
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      let wasRefused = true;
      try {
        this.#noteLost(await this.#converse());
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        if (signal.aborted) return;
        wasRefused = error.refused;
        this.#noteLost(error.message);
      }
      if (!signal.aborted) await this.#pause(wasRefused);
    }
  }

  /** Half of the delay is chance: those who lost the same control plane do not come back in the same moment. */
  async #pause(wasRefused: boolean): Promise<void> {
    const { clock, random } = this.#options;
    const delayMs = backoffMs(wasRefused ? REFUSED_BACKOFF : SILENCE_BACKOFF, ++this.#failures);
    const over = Promise.withResolvers<void>();
    const { signal } = this.#closing;
    const timer = clock.setTimer(delayMs * (0.5 + random.next() / 2), over.resolve);
    const onAbort = () => over.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    await over.promise;
    signal.removeEventListener("abort", onAbort);
    timer.cancel();
  }

  /** Dials and listens until the link is lost; gives why. Rejects with LinkError when no link came about. */
  async #converse(): Promise<string> {
    const { dialers, clock } = this.#options;
    const { signal } = this.#closing;
    const lost = Promise.withResolvers<string>();
    const ears = this.#ears(lost.resolve);
    const link = await dialRound(dialers, ears, { clock, limitMs: DIAL_LIMIT_MS, signal });
    this.#link = link;
    this.#lost = lost.resolve;
    this.#heardAtMs = clock.monotonic();
    const silence = this.#watchSilence(lost.resolve);
    const onAbort = () => lost.resolve("closed");
    signal.addEventListener("abort", onAbort, { once: true });
    this.#listener.opened(link);
    const reason = await lost.promise;
    ears.isOver = true;
    this.#listener.lost(reason);
    signal.removeEventListener("abort", onAbort);
    silence.cancel();
    this.#link = undefined;
    link.close(reason);
    return reason;
  }

  /** Of one conversation: what an earlier link still says is not heard. */
  #ears(lost: (reason: string) => void): LinkListener & { isOver: boolean } {
    const hear = () => {
      this.#heardAtMs = this.#options.clock.monotonic();
      this.#noteHeard();
    };
    const ears = {
      isOver: false,
      frame: (text: string) => {
        if (ears.isOver) return;
        hear();
        this.#listener.frame(text);
      },
      bytes: (frame: Uint8Array) => {
        if (ears.isOver) return;
        hear();
        this.#listener.bytes(frame);
      },
      closed: (reason: string) => lost(reason),
    };
    return ears;
  }

  #watchSilence(lost: (reason: string) => void): Timer {
    const { clock } = this.#options;
    let timer: Timer;
    let dueAtMs = 0;
    const lookIn = (ms: number) => {
      dueAtMs = clock.monotonic() + ms;
      timer = clock.setTimer(ms, look);
    };
    const look = () => {
      const nowMs = clock.monotonic();
      // While this process stood still it heard nobody: what was said meanwhile is still to be read.
      if (nowMs - dueAtMs >= STALL_MS) this.#heardAtMs += nowMs - dueAtMs;
      const leftMs = this.#heardAtMs + AGENT_PATIENCE_MS - nowMs;
      if (leftMs <= 0) lost(`nothing was heard for ${AGENT_PATIENCE_MS / 1000} s`);
      else lookIn(leftMs);
    };
    lookIn(AGENT_PATIENCE_MS);
    return { cancel: () => timer.cancel() };
  }

  #noteHeard(): void {
    this.#failures = 0;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.log.info("the control plane is reached");
    this.#options.onLink?.(undefined);
  }

  /** Once; and again when it has become something else, but not with every attempt. */
  #noteLost(why: string): void {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonic();
    const isNews = why !== this.#why && nowMs - this.#saidAtMs >= SAY_AGAIN_MS;
    this.#problem = why;
    if (this.#isAway && !isNews) return;
    this.#isAway = true;
    this.#why = why;
    this.#saidAtMs = nowMs;
    log.warn("the control plane cannot be reached; dialing again until it is", { why });
    this.#options.onLink?.(why);
  }
}
