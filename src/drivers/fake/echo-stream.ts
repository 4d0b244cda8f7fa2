import type { ByteStream } from "../../model/streams.ts";

/** A connection whose other end gives back what it is sent, and ends when it has given all. */
export class EchoStream implements ByteStream {
  readonly readable: AsyncIterable<Uint8Array>;
  readonly #arrived: Uint8Array[] = [];
  #isEnded = false;
  #isBroken = false;
  #wake = Promise.withResolvers<void>();

  constructor() {
    this.readable = this.#read();
  }

  async write(data: Uint8Array): Promise<void> {
    this.#arrived.push(data);
    this.#stir();
  }

  end(): void {
    this.#isEnded = true;
    this.#stir();
  }

  destroy(): void {
    this.#isBroken = true;
    this.#stir();
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const data = this.#arrived.shift();
      if (this.#isBroken) throw new Error("the connection was broken off");
      if (data) yield data;
      else if (this.#isEnded) return;
      else await this.#wake.promise;
    }
  }

  #stir(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}
