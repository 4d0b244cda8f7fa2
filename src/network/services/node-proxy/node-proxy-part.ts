/**
 * Service addresses without root: the ports of Services at this node's own addresses, in user space. Endpoints see this host as their client, a
 * connection costs two, and cluster addresses are not served at all: only the kernel could.
 */
import type { Clock } from "../../../seams/clock.ts";
import type { NetworkPart, PartReport } from "../../plane/network-part.ts";
import type { NetworkState } from "../../plane/network-state.ts";
import type { Touched } from "../../plane/touched.ts";
import { placeOf } from "../base-plan.ts";
import { type PortPlan, planService } from "../plan-service.ts";
import type { PortListeners } from "./port-listeners.ts";
import { TcpPort } from "./tcp-port.ts";
import { UdpPort } from "./udp-port.ts";

const FIRST_PORT = 1024;
const LIMITS =
  "not root: service ports from 1024 on are served by this process, cluster addresses of Services are not (run styr as root for those)";

interface Problem {
  readonly words: string;
  readonly mayPass: boolean;
}

type Port = TcpPort | UdpPort;

export class NodeProxyPart implements NetworkPart {
  readonly name = "services";
  readonly #listeners: PortListeners;
  readonly #clock: Clock;
  /** By protocol and port: who has it, and what serves it. */
  readonly #open = new Map<string, { readonly owner: string; readonly port: Port }>();
  /** What each Service wants: keys of ports. */
  readonly #wants = new Map<string, ReadonlyMap<string, PortPlan>>();
  /** By Service and key. `mayPass`: asking the host again may help. */
  readonly #problems = new Map<string, Problem>();

  constructor(listeners: PortListeners, clock: Clock) {
    this.#listeners = listeners;
    this.#clock = clock;
  }

  async apply(state: NetworkState, touched: Touched): Promise<void> {
    const isAll = touched.isAll || touched.nodes.has(state.nodeName);
    const known = [...state.tables.service.keys(), ...this.#wants.keys()];
    for (const id of [...new Set(isAll ? known : touched.services)].sort()) await this.#bring(state, id);
    const passing = [...this.#problems.values()].filter(({ mayPass }) => mayPass).map(({ words }) => words);
    if (passing.length > 0) throw new Error(passing.sort()[0]);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ port }) => port.close()));
    this.#open.clear();
    this.#wants.clear();
  }

  async remove(): Promise<void> {
    await this.stop();
  }

  report(): PartReport {
    const problems = [...this.#problems.values()];
    const [words] = problems.map((problem) => problem.words).sort();
    const connections = [...this.#open.values()].reduce((sum, { port }) => sum + port.connections, 0);
    return {
      state: problems.some(({ mayPass }) => mayPass) ? "failing" : "working",
      words: words ?? LIMITS,
      facts: { rules: "proxy", services: this.#wants.size, ports: this.#open.size, connections },
    };
  }

  async #bring(state: NetworkState, id: string): Promise<void> {
    const service = state.tables.service.get(id);
    const ports = service === undefined ? [] : planService(service, state.endpointsOf(id), placeOf(state)).ports;
    const wanted = new Map(
      ports.flatMap((plan) => (plan.nodePort === undefined ? [] : [[keyOf(plan), plan] as const])),
    );
    const before = this.#wants.get(id);
    if (service === undefined) this.#wants.delete(id);
    else this.#wants.set(id, wanted);
    for (const key of before?.keys() ?? []) if (!wanted.has(key)) await this.#leave(id, key);
    for (const [key, plan] of wanted) await this.#serve(id, key, plan);
  }

  async #serve(id: string, key: string, plan: PortPlan): Promise<void> {
    const { nodePort = 0, protocol } = plan;
    const owner = this.#open.get(key)?.owner ?? id;
    const never = (why: string): Problem => ({ words: `${id} does not have ${key}: ${why}`, mayPass: false });
    let problem: Problem | undefined;
    if (owner !== id) problem = never(`${owner} has it`);
    else if (nodePort < FIRST_PORT) problem = never(`ports below ${FIRST_PORT} need root`);
    else if (protocol === "sctp") problem = never("SCTP needs root");
    else problem = await this.#set(id, key, nodePort, plan);
    if (problem === undefined) this.#problems.delete(`${id} ${key}`);
    else this.#problems.set(`${id} ${key}`, problem);
  }

  async #set(id: string, key: string, nodePort: number, plan: PortPlan): Promise<Problem | undefined> {
    const make = () =>
      plan.protocol === "tcp"
        ? new TcpPort(this.#listeners, nodePort, this.#clock)
        : new UdpPort(this.#listeners, nodePort, this.#clock);
    const port = this.#open.get(key)?.port ?? make();
    this.#open.set(key, { owner: id, port });
    try {
      await port.set(plan);
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { words: `${id} does not have ${key}: ${why}`, mayPass: true };
    }
  }

  async #leave(id: string, key: string): Promise<void> {
    this.#problems.delete(`${id} ${key}`);
    const open = this.#open.get(key);
    if (open?.owner !== id) return;
    this.#open.delete(key);
    await open.port.close();
    await this.#inherit(key);
  }

  /** Whoever wanted it, too. */
  async #inherit(key: string): Promise<void> {
    const heirs = [...this.#wants].filter(([, ports]) => ports.has(key)).map(([id]) => id);
    const [heir] = heirs.sort();
    const plan = heir === undefined ? undefined : this.#wants.get(heir)?.get(key);
    if (heir !== undefined && plan !== undefined) await this.#serve(heir, key, plan);
  }
}

function keyOf({ protocol, nodePort }: PortPlan): string {
  return `${protocol} ${nodePort}`;
}
