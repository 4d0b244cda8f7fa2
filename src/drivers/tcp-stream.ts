import { connect, type Socket } from "node:net";
import type { ByteStream } from "../model/streams.ts";
import { DriverError } from "./driver.ts";

const CONNECT_MS = 5_000;

/** Connects; each direction can end alone. Rejects with DriverError, not temporary when nobody listens there. */
export function connectTcp(host: string, port: number): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const deadline = setTimeout(() => socket.destroy(new Error(`no answer within ${CONNECT_MS / 1000} s`)), CONNECT_MS);
    const failed = (error: NodeJS.ErrnoException) => {
      clearTimeout(deadline);
      reject(problem(error, host, port));
    };
    socket.once("error", failed);
    socket.once("connect", () => {
      clearTimeout(deadline);
      socket.off("error", failed);
      resolve(new TcpStream(socket));
    });
  });
}

function problem(error: NodeJS.ErrnoException, host: string, port: number): DriverError {
  const isClosed = error.code === "ECONNREFUSED";
  const why = isClosed
    ? `nothing listens on port ${port} (asked at ${host}; what listens on a container's own loopback alone cannot be reached)`
    : `no connection to port ${port} at ${host}: ${error.message}`;
  return new DriverError(why, { temporary: !isClosed, reason: "ConnectError", cause: error });
}

class TcpStream implements ByteStream {
  readonly readable: AsyncIterable<Uint8Array>;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Its end is not that of the other direction.
    this.readable = socket.iterator({ destroyOnReturn: false });
    // Whoever reads or writes is told; nobody may be doing either.
    socket.on("error", () => {});
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#socket.destroyed) throw new Error("the connection is closed");
    if (this.#socket.write(data)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const events = ["drain", "close"] as const;
    for (const event of events) this.#socket.once(event, resolve);
    await promise;
    for (const event of events) this.#socket.off(event, resolve);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
