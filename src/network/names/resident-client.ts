import type { Socket } from "node:net";
import type { Clock, Timer } from "../../seams/clock.ts";
import { type FeedAnswer, type FeedCall, type FeedReport, LineSplitter } from "./feed.ts";

/** All names of a large cluster, on a busy host; anything else is a moment's work. */
const ALL_MS = 15_000;
const ANSWER_MS = 5000;
const LOOK_MS = 2000;

interface Pending {
  readonly resolve: (report: FeedReport) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** One connection to a server of names. Closed once it broke. */
export class ResidentClient {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #seq = 0;

  constructor(socket: Socket, clock: Clock, onClose: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    const splitter = new LineSplitter();
    socket.unref();
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      for (const line of splitter.split(text)) this.#settle(JSON.parse(line) as FeedAnswer);
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      for (const { reject, timer } of this.#pending.values()) {
        timer.cancel();
        reject(new Error("the server of names has ended"));
      }
      this.#pending.clear();
      onClose();
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** It was said something, and has not answered yet. */
  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  /** What was said is lost when it does not answer in time: this connection is of no use any more. */
  call(call: FeedCall): Promise<FeedReport> {
    return this.#say(call, call.call === "all" ? ALL_MS : ANSWER_MS, () => this.#socket.destroy());
  }

  /** How it is, if it says so soon. */
  look(): Promise<FeedReport> {
    return this.#say({ call: "report" }, LOOK_MS, () => undefined);
  }

  #say(call: FeedCall, withinMs: number, tooLate: () => void): Promise<FeedReport> {
    const seq = ++this.#seq;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new Error("the server of names has ended"));
      const timer = this.#clock.setTimer(withinMs, () => {
        this.#pending.delete(seq);
        reject(new Error(`the server of names does not answer within ${withinMs / 1000} s`));
        tooLate();
      });
      this.#pending.set(seq, { resolve, reject, timer });
      // Nobody's process lives on for it alone, but for an answer that is awaited.
      this.#socket.ref();
      this.#socket.write(`${JSON.stringify({ seq, ...call })}\n`);
    });
  }

  /** After it was told to end. */
  async closed(): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.ref();
    const closed = Promise.withResolvers<void>();
    this.#socket.once("close", closed.resolve);
    await closed.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle({ seq, report }: FeedAnswer): void {
    const pending = this.#pending.get(seq);
    pending?.timer.cancel();
    this.#pending.delete(seq);
    if (this.#pending.size === 0) this.#socket.unref();
    pending?.resolve(report);
  }
}
