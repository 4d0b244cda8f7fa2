/** A TCP proxy on loopback that passes on what clients send after a while, in order, and forgets connections without a word. */
import { connect, createServer, type Socket } from "node:net";

export interface SlowProxy {
  readonly port: number;
  /** Of what clients send from now on. */
  delayMs: number;
  /** Nothing goes through the connections that there are any more, and nobody is told. */
  forget(): void;
  close(): Promise<void>;
}

export async function startSlowProxy(targetPort: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const proxy: SlowProxy = { port: 0, delayMs: 0, forget: () => {}, close: () => Promise.resolve() };
  const server = createServer((client) => {
    const upstream = connect({ port: targetPort, host: "127.0.0.1" });
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay(true));
      socket.on("error", () => socket.destroy());
    }
    passOn(client, upstream, () => proxy.delayMs);
    passOn(upstream, client, () => 0);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  const forget = () => {
    for (const socket of sockets) socket.pause();
  };
  return Object.assign(proxy, { port, forget, close });
}

function passOn(from: Socket, to: Socket, delayMs: () => number): void {
  let lastMs = 0;
  const later = (fn: () => void) => {
    const nowMs = performance.now();
    lastMs = Math.max(lastMs, nowMs + delayMs());
    setTimeout(fn, lastMs - nowMs).unref();
  };
  from.on("data", (chunk: Buffer) => later(() => to.writable && to.write(chunk)));
  from.once("close", () => later(() => to.destroy()));
}
