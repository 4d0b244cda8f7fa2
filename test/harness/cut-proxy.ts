/** A TCP proxy on loopback that can pass on a number of bytes and then nothing ever again, or fall silent and speak again. */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface CutProxy {
  readonly port: number;
  /** Bytes from clients that were passed on so far. */
  readonly passed: number;
  /** Passes on that many more bytes of clients, then cuts every connection and takes no other. */
  cutAfter(bytes: number): void;
  /** Resolves once it has cut. */
  readonly cut: Promise<void>;
  /** Passes nothing on, either way, until `resume`; connections stay. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** `port`: where it listens; any free one without it. */
export async function startCutProxy(targetPort: number, port = 0): Promise<CutProxy> {
  const proxy = new TcpProxy(targetPort);
  await proxy.listen(port);
  return proxy;
}

class TcpProxy implements CutProxy {
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #isCut = Promise.withResolvers<void>();
  #left = Number.POSITIVE_INFINITY;
  passed = 0;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get cut(): Promise<void> {
    return this.#isCut.promise;
  }

  cutAfter(bytes: number): void {
    this.#left = bytes;
  }

  pause(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#left <= 0) return void client.destroy();
    const server = connect(this.#targetPort, "127.0.0.1");
    this.#join(client, server, (chunk) => this.#take(chunk));
    this.#join(server, client, (chunk) => (this.#left <= 0 ? undefined : chunk));
  }

  #join(from: Socket, to: Socket, take: (chunk: Buffer) => Buffer | undefined): void {
    this.#sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      const passed = take(chunk);
      if (passed) to.write(passed);
    });
    from.on("error", () => to.destroy());
    from.once("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  /** The last bytes still arrive: the connection is ended, and not torn away from under them. */
  #take(chunk: Buffer): Buffer | undefined {
    if (this.#left <= 0) return undefined;
    const taken = chunk.subarray(0, Math.min(chunk.byteLength, this.#left));
    this.#left -= taken.byteLength;
    this.passed += taken.byteLength;
    if (this.#left <= 0) {
      setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
        this.#isCut.resolve();
      }, 20);
    }
    return taken;
  }
}
