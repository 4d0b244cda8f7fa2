import { ApiError } from "../../model/errors.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Call } from "../frames/call.ts";
import { gotFrame } from "../frames/to-dispatcher.ts";
import type { Calls } from "./calls.ts";
import type { OrderedFrame, OrderedStream, Reply } from "./ordered-stream.ts";

export interface WatchOptions {
  readonly session: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly calls: Calls;
  readonly send: (frame: string) => void;
  readonly isOpen: () => boolean;
  readonly newStream: () => number;
}

/** What is watched. */
export interface Watched<F extends OrderedFrame, N> {
  /** `the pods of this node`. */
  readonly what: string;
  call(stream: number): Call;
  stream(number: number, deliver: (news: N) => void): OrderedStream<F>;
}

/** What is missing may only be late: so long it is waited for before it is asked for. */
const GAP_PATIENCE_MS = 300;
const ASK_AGAIN_MS = 1_000;

/** One caller's watch: over every new link a new stream, which begins with everything. */
export class StreamWatch<F extends OrderedFrame, N> {
  readonly #options: WatchOptions;
  readonly #watched: Watched<F, N>;
  readonly #listener: (news: N) => void;
  #stream: OrderedStream<F> | undefined;
  #opening: { giveUp(): void } | undefined;
  #gap: Timer | undefined;
  #isOver = false;

  constructor(options: WatchOptions, watched: Watched<F, N>, listener: (news: N) => void) {
    this.#options = options;
    this.#watched = watched;
    this.#listener = listener;
  }

  get stream(): number | undefined {
    return this.#stream?.number;
  }

  /** There is a stream, or one has been asked for. */
  get isOpening(): boolean {
    return this.#stream !== undefined;
  }

  /** Begins anew, with everything. What earlier streams still say is not heard. */
  open(): void {
    this.#close();
    if (this.#isOver) return;
    const { calls, newStream, log, clock, isOpen } = this.#options;
    const { what, call } = this.#watched;
    const stream = newStream();
    this.#stream = this.#watched.stream(stream, (news) => this.#deliver(stream, news));
    const { answer, giveUp } = calls.begin(JSON.stringify(call(stream)));
    this.#opening = { giveUp };
    answer.catch((error: Error) => {
      if (this.#stream?.number !== stream) return;
      if (error instanceof ApiError) log.error(`${what} cannot be watched`, { why: error.message });
      const isFinal = error instanceof ApiError && error.reason === "Forbidden";
      // Without a link the next one opens it.
      if (!isFinal && isOpen()) this.#gap = clock.setTimer(ASK_AGAIN_MS, () => this.open());
    });
  }

  end(): void {
    this.#isOver = true;
    this.#close();
  }

  frame(frame: F): void {
    this.#reply(this.#stream?.frame(frame) ?? "nothing");
  }

  sign(sequence: number, acknowledged: number): void {
    this.#reply(this.#stream?.sign(sequence, acknowledged) ?? "nothing");
  }

  #deliver(stream: number, news: N): void {
    if (!this.#isOver && this.#stream?.number === stream) this.#listener(news);
  }

  #reply(reply: Reply): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    if (reply === "got") this.#say(stream);
    if (stream.isBehind) this.#gap ??= this.#options.clock.setTimer(GAP_PATIENCE_MS, () => this.#askForMissing());
  }

  #askForMissing(): void {
    this.#gap = undefined;
    const stream = this.#stream;
    if (!stream?.isBehind) return;
    this.#say(stream);
    // Each asking has everything sent again that is not acknowledged: not with every frame that comes.
    this.#gap = this.#options.clock.setTimer(ASK_AGAIN_MS, () => this.#askForMissing());
  }

  #say(stream: OrderedStream<F>): void {
    const { session, send } = this.#options;
    stream.noteAcknowledged();
    send(gotFrame(session, stream.number, stream.sequence, stream.isBehind));
  }

  /** Until `open` nothing is heard. */
  close(): void {
    this.#close();
  }

  #close(): void {
    this.#gap?.cancel();
    this.#gap = undefined;
    this.#opening?.giveUp();
    this.#opening = undefined;
    this.#stream = undefined;
  }
}
