/**
 * The kernel sends the packets of a UDP flow where it sent the first one, as long as they come. When the endpoint leaves, such flows have to
 * be forgotten (conntrack -D), so that their next packet is the first again.
 */
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { PortPlan, ServicePlan } from "./plan-service.ts";

/** Flows to forget, as arguments of `conntrack -D -p udp`. */
export type FlowFilter = readonly string[];

/** What was planned before and what is now. Pure. `isAdopted`: what was before is not known, only that it was something else. */
export function flowsToForget(before: ServicePlan | undefined, now: ServicePlan | undefined): readonly FlowFilter[] {
  const ports = now?.ports ?? [];
  const left = (before?.ports ?? [])
    .filter(({ protocol }) => protocol === "udp")
    .flatMap((old) => {
      const same = ports.find(({ id }) => id === old.id);
      const kept = new Set(same?.keeps);
      const gone = old.keeps.filter((address) => !kept.has(address));
      return gone.flatMap((address) => originalsOf(old).map((original) => [...original, "--dst-nat", address]));
    });
  return [...left, ...ports.flatMap((port) => newNodePort(port, before))];
}

/** After a start, when the kernel had other rules of this Service than it should have: all its flows choose again. */
export function allFlows(plan: ServicePlan): readonly FlowFilter[] {
  return plan.ports.filter(({ protocol }) => protocol === "udp").flatMap(originalsOf);
}

/** To a port where nobody listened before, the kernel may know a flow that was not translated. */
function newNodePort(port: PortPlan, before: ServicePlan | undefined): readonly FlowFilter[] {
  const { id, protocol, nodePort, outside } = port;
  if (protocol !== "udp" || nodePort === undefined || outside.length === 0) return [];
  const old = before?.ports.find((other) => other.id === id);
  const isNew = old === undefined || old.nodePort !== nodePort || old.outside.length === 0;
  return isNew ? [["--orig-port-dst", String(nodePort)]] : [];
}

function originalsOf({ addresses, port, nodePort }: PortPlan): readonly FlowFilter[] {
  const cluster = addresses.map((address) => ["--orig-dst", address, "--orig-port-dst", String(port)]);
  return nodePort === undefined ? cluster : [...cluster, ["--orig-port-dst", String(nodePort)]];
}

/** How many such filters one change runs at most; beyond, every UDP flow chooses again. */
const MOST_FILTERS = 50;

export class UdpFlows {
  readonly #commands: Commands;
  /** Why flows cannot be forgotten on this host. */
  words: string | undefined;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  async forget(filters: readonly FlowFilter[]): Promise<void> {
    const wanted = filters.length > MOST_FILTERS ? [["--dst-nat"]] : filters;
    for (const filter of wanted) if (!(await this.#delete(filter))) return;
  }

  async #delete(filter: FlowFilter): Promise<boolean> {
    try {
      // Ends with 1 when there was no such flow.
      await this.#commands.run("conntrack", ["-D", "-p", "udp", ...filter]);
      this.words = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.words = `UDP clients of endpoints that left may wait up to two minutes: ${error.message} (install conntrack)`;
      return false;
    }
  }
}
