import { ApiError } from "../../../model/errors.ts";
import { FrameError } from "../shape.ts";
import { CREDIT_BYTES, costOf, MOST_QUEUED_BYTES, PIECE_BYTES, WINDOW_BYTES } from "./flow.ts";
import type { Piece, StreamFrame } from "./stream-frames.ts";

/** The mux, as its streams see it. */
export interface StreamHome {
  send(frame: StreamFrame): void;
  /** It has something to send, or may send again what waited. */
  ready(stream: MuxStream): void;
  over(stream: MuxStream): void;
}

interface Queued {
  readonly piece: Piece;
  readonly sent: () => void;
}

/** One stream: pieces both ways, each direction with its own window, until both sides have ended or one has reset it. */
export class MuxStream {
  readonly id: number;
  readonly #home: StreamHome;
  readonly #queue: Queued[] = [];
  #queuedBytes = 0;
  #allowedBytes = WINDOW_BYTES;
  readonly #arrived: Piece[] = [];
  /** Of the other side's window: what has arrived and was not read, and what was read and not said. */
  #unreadBytes = 0;
  #readBytes = 0;
  #wake = Promise.withResolvers<void>();
  readonly #result = Promise.withResolvers<unknown>();
  readonly #begun = Promise.withResolvers<void>();
  /** What is said when the queue is empty. */
  #ending: { readonly value: unknown } | undefined;
  #hasEnded = false;
  #otherHasEnded = false;
  #failure: ApiError | undefined;
  /** What the other side says beside the data. */
  onControl: (value: unknown) => void = () => {};
  /** The stream was reset, by either side or with the link. */
  onReset: (error: ApiError) => void = () => {};

  constructor(id: number, home: StreamHome) {
    this.id = id;
    this.#home = home;
    // Whoever wants to know awaits them.
    this.#result.promise.catch(() => undefined);
    this.#begun.promise.catch(() => undefined);
  }

  /** What the other side said with its end. Rejects with ApiError when the stream broke off. */
  get result(): Promise<unknown> {
    return this.#result.promise;
  }

  /** The other side has what was asked for. Rejects with ApiError. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  get isOver(): boolean {
    return this.#failure !== undefined || (this.#hasEnded && this.#otherHasEnded);
  }

  /** Resolves when all of it is on the link: whoever waits for that never has more than one window in memory. */
  write(piece: Piece): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#ending || this.isOver) return Promise.resolve();
    if (this.#queuedBytes > MOST_QUEUED_BYTES) {
      this.reset(new ApiError("TooLarge", "what is sent is not read on the other side"));
      return Promise.reject(this.#failure);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    for (let at = 0; at === 0 || at < piece.data.length; at += PIECE_BYTES) {
      const data = piece.data.subarray(at, at + PIECE_BYTES);
      const isLast = at + PIECE_BYTES >= piece.data.length;
      this.#queue.push({ piece: { ...piece, data }, sent: isLast ? resolve : () => {} });
      this.#queuedBytes += data.length;
    }
    this.#home.ready(this);
    return promise;
  }

  control(value: unknown): void {
    if (!this.isOver) this.#home.send({ type: "control", stream: this.id, value });
  }

  sayReady(): void {
    if (!this.isOver) this.#home.send({ type: "ready", stream: this.id });
  }

  /** We have said all, once the queue is empty. */
  end(value?: unknown): void {
    if (this.#ending || this.isOver) return;
    this.#ending = { value };
    this.#home.ready(this);
  }

  /** Over at once, for both sides. */
  reset(error: ApiError): void {
    if (this.isOver) return;
    this.#home.send({ type: "reset", stream: this.id, reason: error.reason, message: error.message });
    this.fail(error);
  }

  /** Pieces as they arrive, for one reader. Ends with the other side's end; throws ApiError when the stream breaks off. */
  async *pieces(): AsyncGenerator<Piece, void, undefined> {
    for (;;) {
      const piece = this.#arrived.shift();
      if (piece) {
        this.#noteRead(costOf(piece.data.length));
        yield piece;
      } else {
        if (this.#failure) throw this.#failure;
        if (this.#otherHasEnded) return;
        await this.#wake.promise;
      }
    }
  }

  /** For the mux: the next piece, if there is one and the other side has room. */
  next(): StreamFrame | undefined {
    const [first] = this.#queue;
    if (first === undefined) return this.#sayEnd();
    const cost = costOf(first.piece.data.length);
    if (cost > this.#allowedBytes) return undefined;
    this.#allowedBytes -= cost;
    this.#queue.shift();
    this.#queuedBytes -= first.piece.data.length;
    first.sent();
    return { type: "data", stream: this.id, piece: first.piece };
  }

  /** For the mux. Throws FrameError when the other side keeps no rule. */
  heard(frame: StreamFrame): void {
    switch (frame.type) {
      case "ready":
        this.#begun.resolve();
        break;
      case "data":
        this.#arrive(frame.piece);
        break;
      case "credit":
        this.#allowedBytes = Math.min(WINDOW_BYTES, this.#allowedBytes + frame.bytes);
        this.#home.ready(this);
        break;
      case "control":
        this.onControl(frame.value);
        break;
      case "end":
        this.#otherEnded(frame.value);
        break;
      case "reset":
        this.fail(new ApiError(frame.reason, frame.message));
        break;
      case "open":
        throw new FrameError("a stream that is opened twice");
    }
  }

  /** For the mux: the link, or the other side, is gone. */
  fail(error: ApiError): void {
    if (this.isOver) return;
    this.#failure = error;
    for (const { sent } of this.#queue.splice(0)) sent();
    this.#result.reject(error);
    this.#begun.reject(error);
    this.#wakeReader();
    this.#home.over(this);
    this.onReset(error);
  }

  #arrive(piece: Piece): void {
    if (this.#otherHasEnded) throw new FrameError("data after the end of a stream");
    this.#unreadBytes += costOf(piece.data.length);
    if (this.#unreadBytes + this.#readBytes > WINDOW_BYTES) throw new FrameError("more data than there was room for");
    this.#arrived.push(piece);
    this.#wakeReader();
  }

  #noteRead(bytes: number): void {
    this.#unreadBytes -= bytes;
    this.#readBytes += bytes;
    if (this.#readBytes < CREDIT_BYTES || this.#otherHasEnded || this.isOver) return;
    this.#home.send({ type: "credit", stream: this.id, bytes: this.#readBytes });
    this.#readBytes = 0;
  }

  #otherEnded(value: unknown): void {
    this.#otherHasEnded = true;
    this.#result.resolve(value);
    this.#begun.resolve();
    this.#wakeReader();
    if (this.isOver) this.#home.over(this);
  }

  #sayEnd(): StreamFrame | undefined {
    if (this.#ending === undefined || this.#hasEnded) return undefined;
    this.#hasEnded = true;
    if (this.isOver) this.#home.over(this);
    return { type: "end", stream: this.id, value: this.#ending.value };
  }

  #wakeReader(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}
