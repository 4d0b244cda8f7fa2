/** One TCP port in user space: each connection to one endpoint, both ways, with the pace of the slower side and each side's own end. */
import { createConnection, type Socket } from "node:net";
import type { Clock } from "../../../seams/clock.ts";
import type { PortPlan } from "../plan-service.ts";
import { TargetChoice } from "./choose-target.ts";
import type { PortListener, PortListeners } from "./port-listeners.ts";

/** For an endpoint to take a connection; then the next one is asked. */
const CONNECT_MS = 3000;

export class TcpPort {
  readonly #listeners: PortListeners;
  readonly #port: number;
  readonly #choice: TargetChoice;
  #listener: PortListener | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(listeners: PortListeners, port: number, clock: Clock) {
    this.#listeners = listeners;
    this.#port = port;
    this.#choice = new TargetChoice(clock);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** While there is no endpoint nothing listens: so the kernel refuses at once. */
  async set({ outside, affinitySeconds }: PortPlan): Promise<void> {
    this.#choice.set(outside, affinitySeconds);
    if (outside.length === 0) await this.#stopListening();
    else this.#listener ??= await this.#listeners.tcp(this.#port, (socket) => this.#accept(socket));
  }

  /** Connections that are there are cut only at the very end. */
  async close(): Promise<void> {
    await this.#stopListening();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #stopListening(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }

  #accept(client: Socket): void {
    this.#sockets.add(client);
    client.once("close", () => this.#sockets.delete(client));
    // Before there is another side, its end is all there is to say.
    client.on("error", () => client.destroy());
    const from = client.remoteAddress ?? "";
    this.#connect(client, from, this.#choice.order(from));
  }

  #connect(client: Socket, from: string, order: ReturnType<TargetChoice["order"]>): void {
    const [target, ...others] = order;
    if (target === undefined || client.destroyed) return void client.resetAndDestroy();
    const upstream = createConnection({ host: target.address, port: target.port, allowHalfOpen: true });
    const next = () => {
      upstream.destroy();
      this.#connect(client, from, others);
    };
    upstream.setTimeout(CONNECT_MS, next);
    upstream.once("error", next);
    upstream.once("connect", () => {
      upstream.setTimeout(0);
      upstream.removeAllListeners("error").removeAllListeners("timeout");
      this.#choice.remember(from, target);
      join(client, upstream);
    });
  }
}

/** `pipe` stops reading on one side while the other does not keep up, and passes an end on as an end. */
function join(client: Socket, upstream: Socket): void {
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) {
    socket.setNoDelay(true);
    socket.on("error", cut);
  }
  // One that closed without an end was reset, or is gone: so has to be the other.
  client.once("close", (hadError) => (hadError || !upstream.writableEnded) && cut());
  upstream.once("close", (hadError) => (hadError || !client.writableEnded) && cut());
  client.pipe(upstream);
  upstream.pipe(client);
}
