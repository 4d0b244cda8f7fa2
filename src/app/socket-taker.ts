import type { Duplex } from "node:stream";
import type { Socket } from "../http/route.ts";

/**
 * Hands an upgraded connection to whoever opened something for it, or a closed one when the client has gone meanwhile: a
 * command that was begun for it must hear of that.
 */
export class SocketTaker {
  readonly #left = new AbortController();
  readonly #stream: Duplex;
  #take: ((socket: Socket) => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.once("close", () => this.#leave());
  }

  /** Aborts when the client goes. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  /** There is nobody to hand it to any more. */
  get isOver(): boolean {
    return this.#take === undefined;
  }

  begin(take: (socket: Socket) => void): void {
    this.#take = take;
    if (!this.#stream.readable || !this.#stream.writable) this.#leave();
  }

  take(socket: Socket): void {
    this.#once(socket);
  }

  #leave(): void {
    this.#left.abort(new Error("the client has gone"));
    this.#once(GONE);
    this.#stream.destroy();
  }

  #once(socket: Socket): void {
    const take = this.#take;
    this.#take = undefined;
    take?.(socket);
  }
}

const GONE: Socket = {
  protocol: "",
  bufferedBytes: 0,
  send: (_data, sent) => sent?.(),
  close: () => undefined,
  onMessage: () => undefined,
  onClose: (listener) => queueMicrotask(listener),
};
