/**
 * The kernel sends the packets of a UDP flow where it sent the first one, as long as they come. When the endpoint leaves, such flows have to
 * be forgotten (conntrack -D), so that their next packet is the first again. So it is with a TCP connection that nobody answered, where the
 * rules do not forget it by themselves.
 */
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { PortPlan, ServicePlan } from "./plan-service.ts";

/** Flows to forget, as arguments of `conntrack -D`. */
export type FlowFilter = readonly string[];

/** What of each protocol is forgotten: of TCP what was never answered, or every connection to an endpoint that is about to end would break. */
const FORGOTTEN = {
  udp: ["-p", "udp"],
  tcp: ["-p", "tcp", "--state", "SYN_SENT"],
} as const;

type Lasting = keyof typeof FORGOTTEN;

/** The protocols whose flows do not end by themselves. `forgetsUnanswered`: the firewall's. */
export function lastingProtocols(forgetsUnanswered: boolean): readonly Lasting[] {
  return forgetsUnanswered ? ["udp"] : ["udp", "tcp"];
}

/** What was planned before and what is now. Pure. */
export function flowsToForget(
  before: ServicePlan | undefined,
  now: ServicePlan | undefined,
  lasting: readonly Lasting[],
): readonly FlowFilter[] {
  const ports = now?.ports ?? [];
  const left = (before?.ports ?? []).flatMap((old) => {
    const originals = originalsOf(old, lasting);
    if (originals.length === 0) return [];
    const same = ports.find(({ id }) => id === old.id);
    const kept = new Set(same?.keeps);
    const gone = old.keeps.filter((address) => !kept.has(address));
    return gone.flatMap((address) => originals.map((original) => [...original, "--dst-nat", address]));
  });
  return [...left, ...ports.flatMap((port) => newNodePort(port, before))];
}

/** After a start, when the kernel had other rules of this Service than it should have: all its flows choose again. */
export function allFlows(plan: ServicePlan, lasting: readonly Lasting[]): readonly FlowFilter[] {
  return plan.ports.flatMap((port) => originalsOf(port, lasting));
}

/** To a port where nobody listened before, the kernel may know a flow that was not translated. */
function newNodePort(port: PortPlan, before: ServicePlan | undefined): readonly FlowFilter[] {
  const { id, protocol, nodePort, outside } = port;
  if (protocol !== "udp" || nodePort === undefined || outside.length === 0) return [];
  const old = before?.ports.find((other) => other.id === id);
  const isNew = old === undefined || old.nodePort !== nodePort || old.outside.length === 0;
  return isNew ? [[...FORGOTTEN.udp, "--orig-port-dst", String(nodePort)]] : [];
}

function originalsOf(
  { protocol, addresses, port, nodePort }: PortPlan,
  lasting: readonly Lasting[],
): readonly FlowFilter[] {
  const its = lasting.find((one) => one === protocol);
  if (its === undefined) return [];
  const what = FORGOTTEN[its];
  const cluster = addresses.map((address) => [...what, "--orig-dst", address, "--orig-port-dst", String(port)]);
  return nodePort === undefined ? cluster : [...cluster, [...what, "--orig-port-dst", String(nodePort)]];
}

/** How many such filters one change runs at most; beyond, every flow chooses again. */
const MOST_FILTERS = 50;

export class Flows {
  readonly #commands: Commands;
  /** Why flows cannot be forgotten on this host. */
  words: string | undefined;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  async forget(filters: readonly FlowFilter[]): Promise<void> {
    const wanted = filters.length > MOST_FILTERS ? everyFlowOf(filters) : filters;
    for (const filter of wanted) if (!(await this.#delete(filter))) return;
  }

  async #delete(filter: FlowFilter): Promise<boolean> {
    try {
      // Ends with 1 when there was no such flow.
      await this.#commands.run("conntrack", ["-D", ...filter]);
      this.words = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const whose = filter.includes("tcp") ? "Clients" : "UDP clients";
      this.words = `${whose} of endpoints that left may wait up to two minutes: ${error.message} (install conntrack)`;
      return false;
    }
  }
}

function everyFlowOf(filters: readonly FlowFilter[]): readonly FlowFilter[] {
  const protocols = Object.entries(FORGOTTEN).filter(([protocol]) => filters.some((words) => words.includes(protocol)));
  return protocols.map(([, what]) => [...what, "--dst-nat"]);
}
