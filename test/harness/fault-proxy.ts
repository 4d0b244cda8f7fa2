/** A TCP proxy on loopback that harms what goes through it in every way a network and a server can: picked at random, from a seed. */
import { connect, createServer, type Server, type Socket } from "node:net";

export const FAULTS = [
  ...(["reset", "destroy", "half-close", "half-close to client", "silence"] as const),
  ...(["goaway", "goaway in error", "reset of streams", "garbage", "refuse"] as const),
] as const;

export type Fault = (typeof FAULTS)[number];

export interface FaultProxy {
  readonly port: number;
  /** Does it to every connection that there is; silence and refusal last until `mend`. */
  harm(fault: Fault): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const proxy = new TcpProxy(targetPort);
  await proxy.listen();
  return proxy;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

class TcpProxy implements FaultProxy {
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #refuses = false;
  #isSilent = false;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  harm(fault: Fault): void {
    if (fault === "refuse") this.#refuses = true;
    if (fault === "silence") this.#isSilent = true;
    for (const pair of [...this.#pairs]) harm(pair, fault);
  }

  mend(): void {
    this.#refuses = false;
    this.#isSilent = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  async close(): Promise<void> {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#refuses) return void client.on("error", () => client.destroy()).resetAndDestroy();
    const server = connect({ port: this.#targetPort, host: "127.0.0.1", allowHalfOpen: true });
    const pair: Pair = { client, server };
    this.#pairs.add(pair);
    join(client, server);
    join(server, client);
    client.once("close", () => this.#pairs.delete(pair));
    if (!this.#isSilent) return;
    client.pause();
    server.pause();
  }
}

function join(from: Socket, to: Socket): void {
  from.on("data", (chunk: Buffer) => {
    if (to.writable) to.write(chunk);
  });
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  from.once("close", () => to.destroy());
}

function harm({ client, server }: Pair, fault: Fault): void {
  switch (fault) {
    case "reset":
    case "refuse":
      client.resetAndDestroy();
      return;
    case "destroy":
      client.destroy();
      return;
    case "half-close":
      server.end();
      return;
    case "half-close to client":
      client.end();
      return;
    case "silence":
      client.pause();
      server.pause();
      return;
    default:
      if (client.writable) client.write(FRAMES[fault]);
  }
}

/** HTTP/2 (RFC 9113, 4.1): length, type, flags, stream, payload. */
function frame(type: number, stream: number, payload: readonly number[]): Buffer {
  return Buffer.from([0, 0, payload.length, type, 0, 0, 0, 0, stream, ...payload]);
}

const [RST_STREAM, GOAWAY] = [3, 7];
const STREAMS = [1, 3, 5, 7, 9, 11, 13, 15];

const FRAMES = {
  goaway: frame(GOAWAY, 0, [0, 0, 0, 1, 0, 0, 0, 0]),
  "goaway in error": frame(GOAWAY, 0, [0, 0, 0, 0, 0, 0, 0, 11]),
  "reset of streams": Buffer.concat(STREAMS.map((stream) => frame(RST_STREAM, stream, [0, 0, 0, 8]))),
  garbage: Buffer.from("no frame of HTTP/2 at all"),
} as const;
