import type { AgentOptions } from "../../agent/agent-options.ts";
import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import type { Pod } from "../../model/pod.ts";
import type { Clock } from "../../seams/clock.ts";
import { meteredDriver } from "./metered-driver.ts";
import { meteredHeartbeats } from "./metered-heartbeats.ts";
import { meteredTransport } from "./metered-transport.ts";

type Parts = Required<Pick<AgentOptions, "drivers" | "transport" | "heartbeats">>;

/** What an agent works with, counted. */
export function meteredAgentParts(parts: Parts, clock: Clock, meters: AgentMeters): Parts {
  return {
    drivers: new Map([...parts.drivers].map(([name, driver]) => [name, meteredDriver(driver, clock, meters)])),
    transport: meteredTransport(parts.transport, meters),
    heartbeats: meteredHeartbeats(parts.heartbeats, clock, meters),
  };
}

export function provideNodePods(meters: AgentMeters, agent: { readonly pods: readonly Pod[] }): void {
  meters.provide("styr_node_pods", () => {
    const counts: Record<string, number> = {};
    for (const { status } of agent.pods) counts[status.phase] = (counts[status.phase] ?? 0) + 1;
    return counts;
  });
}
