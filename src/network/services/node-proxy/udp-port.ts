/** One UDP port in user space: each client has a socket of its own towards its endpoint, until both are silent. */
import { createSocket, type Socket } from "node:dgram";
import type { Clock } from "../../../seams/clock.ts";
import type { PortPlan, Target } from "../plan-service.ts";
import { keyOf, TargetChoice } from "./choose-target.ts";
import type { PortListeners } from "./port-listeners.ts";

/** As the kernel keeps a UDP flow with answers (nf_conntrack_udp_timeout_stream). */
const SILENT_MS = 120_000;
/** Beyond, the flow that was silent longest ends: each costs a file descriptor. */
const MOST_FLOWS = 500;

interface Flow {
  readonly upstream: Socket;
  readonly target: Target;
  heardAt: number;
}

export class UdpPort {
  readonly #listeners: PortListeners;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #choice: TargetChoice;
  #socket: Socket | undefined;
  /** By the client's address and port, in the order of when they were heard last. */
  readonly #flows = new Map<string, Flow>();

  constructor(listeners: PortListeners, port: number, clock: Clock) {
    this.#listeners = listeners;
    this.#port = port;
    this.#clock = clock;
    this.#choice = new TargetChoice(clock);
  }

  get connections(): number {
    return this.#flows.size;
  }

  async set({ outside, affinitySeconds, keeps }: PortPlan): Promise<void> {
    this.#choice.set(outside, affinitySeconds);
    for (const [client, { target }] of this.#flows) if (!keeps.includes(target.address)) this.#end(client);
    if (outside.length === 0) return this.close();
    if (this.#socket !== undefined) return;
    const socket = await this.#listeners.udp(this.#port);
    this.#socket = socket;
    socket.on("message", (data, { address, port }) => this.#pass(data, address, port));
  }

  async close(): Promise<void> {
    for (const client of [...this.#flows.keys()]) this.#end(client);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.close(() => resolve());
    await promise;
  }

  #pass(data: Buffer, address: string, port: number): void {
    const client = `${address}:${port}`;
    const flow = this.#flows.get(client) ?? this.#begin(client, address, port);
    if (flow === undefined) return;
    this.#heard(client, flow);
    flow.upstream.send(data, flow.target.port, flow.target.address, () => undefined);
    this.#endOld();
  }

  #begin(client: string, address: string, port: number): Flow | undefined {
    const [target] = this.#choice.order(address);
    if (target === undefined) return undefined;
    this.#choice.remember(address, target);
    const upstream = createSocket("udp4");
    const flow: Flow = { upstream, target, heardAt: 0 };
    upstream.on("message", (data, from) => {
      if (keyOf(from) !== keyOf(target)) return;
      this.#heard(client, flow);
      this.#socket?.send(data, port, address, () => undefined);
    });
    upstream.on("error", () => this.#end(client));
    return flow;
  }

  #heard(client: string, flow: Flow): void {
    flow.heardAt = this.#clock.monotonic();
    this.#flows.delete(client);
    this.#flows.set(client, flow);
  }

  #endOld(): void {
    const silentSince = this.#clock.monotonic() - SILENT_MS;
    for (const [client, { heardAt }] of this.#flows) {
      if (heardAt >= silentSince && this.#flows.size <= MOST_FLOWS) return;
      this.#end(client);
    }
  }

  #end(client: string): void {
    const flow = this.#flows.get(client);
    this.#flows.delete(client);
    flow?.upstream.close();
  }
}
