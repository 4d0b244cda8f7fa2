import { ApiError } from "../../../model/errors.ts";
import type { Clock, Timer } from "../../../seams/clock.ts";
import type { Link } from "../../../seams/link.ts";
import { LOOK_AGAIN_MS, MOST_BUFFERED_BYTES, MOST_STREAMS } from "./flow.ts";
import { MuxStream, type StreamHome } from "./mux-stream.ts";
import { decodeFrame, encodeFrame, type StreamFrame } from "./stream-frames.ts";

export interface MuxOptions {
  readonly link: Link;
  readonly clock: Clock;
  /** The other side opens a stream. Absent: it may not. */
  readonly opened?: (stream: MuxStream, request: unknown) => void;
}

/**
 * All streams of one link. Each in turn may send one piece; none while more than a little waits to leave this process, so
 * that assignments and signs of life, which go their own way, never wait behind much.
 */
export class Mux implements StreamHome {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #opened: MuxOptions["opened"];
  readonly #streams = new Map<number, MuxStream>();
  /** Those with something to send, in turns. */
  readonly #eager = new Set<MuxStream>();
  /** A piece has left: there may be room for the next. */
  readonly #sent = () => {
    if (this.#timer) this.#pumpAgain();
  };
  #last = 0;
  #timer: Timer | undefined;
  #isPumping = false;
  #isClosed = false;

  constructor({ link, clock, opened }: MuxOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#opened = opened;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Throws ApiError when there are too many. */
  open(request: unknown): MuxStream {
    if (this.#streams.size >= MOST_STREAMS)
      throw new ApiError(
        "TooManyRequests",
        `more than ${MOST_STREAMS} logs, commands and connections of one node at once`,
      );
    const stream = new MuxStream(++this.#last, this);
    this.#streams.set(stream.id, stream);
    this.send({ type: "open", stream: stream.id, value: request });
    return stream;
  }

  /**
   * A frame of bytes that arrived. Whether it was data that there was room for; anything else costs the other side nothing to
   * repeat. Throws FrameError when it is none of our frames.
   */
  heard(bytes: Uint8Array): boolean {
    const frame = decodeFrame(bytes);
    const stream = this.#streams.get(frame.stream);
    // Unknown: of a stream that is over, which the other side may not know yet.
    if (stream) stream.heard(frame);
    else if (frame.type === "open") this.#accept(frame.stream, frame.value);
    return frame.type === "data" && stream !== undefined;
  }

  /** The link is gone, and every stream with it. */
  close(error: ApiError): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const stream of [...this.#streams.values()]) stream.fail(error);
  }

  send(frame: StreamFrame): void {
    if (this.#isClosed) return;
    if (frame.type === "data") this.#link.sendBytes?.(encodeFrame(frame), this.#sent);
    else this.#link.sendBytes?.(encodeFrame(frame));
  }

  ready(stream: MuxStream): void {
    this.#eager.add(stream);
    this.#pump();
  }

  over(stream: MuxStream): void {
    this.#streams.delete(stream.id);
    this.#eager.delete(stream);
  }

  #accept(id: number, request: unknown): void {
    if (!this.#opened) return;
    const stream = new MuxStream(id, this);
    if (this.#streams.size >= MOST_STREAMS) {
      stream.reset(new ApiError("TooManyRequests", `more than ${MOST_STREAMS} streams at once`));
      return;
    }
    this.#streams.set(id, stream);
    this.#opened(stream, request);
  }

  #pump(): void {
    // A stream that becomes ready while another is asked waits for its turn.
    if (this.#isPumping || this.#timer !== undefined) return;
    this.#isPumping = true;
    for (const stream of this.#eager) {
      if ((this.#link.bufferedBytes ?? 0) > MOST_BUFFERED_BYTES) {
        this.#lookAgain();
        break;
      }
      this.#eager.delete(stream);
      const frame = stream.next();
      if (frame === undefined) continue;
      this.send(frame);
      // Behind the others: a set is walked in the order of adding, also of what is added meanwhile.
      if (frame.type === "data") this.#eager.add(stream);
    }
    this.#isPumping = false;
  }

  #lookAgain(): void {
    if (!this.#isClosed) this.#timer = this.#clock.setTimer(LOOK_AGAIN_MS, () => this.#pumpAgain());
  }

  #pumpAgain(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pump();
  }
}
