import { withMembers } from "../../lib/with-members.ts";
import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import type { Sample } from "../../metrics/definition.ts";
import type { NetworkPart, PartReport } from "../../network/plane/network-part.ts";
import type { PlaneView } from "../../network/questions/network-desk.ts";
import type { Clock } from "../../seams/clock.ts";
import { provideWayIn } from "./metered-way-in.ts";

/** The same part; how long it took to bring the host in line, when it last did, and how often it could not. */
export function meteredPart(part: NetworkPart, clock: Clock, meters: AgentMeters): NetworkPart {
  const failures = meters.counter("styr_network_apply_failures_total", part.name);
  return withMembers<NetworkPart>(part, {
    async apply(state, touched) {
      const beganMs = clock.monotonic();
      try {
        await part.apply(state, touched);
        meters.gauge("styr_network_applied_timestamp_seconds", clock.now() / 1000, part.name);
      } catch (error) {
        failures.value++;
        throw error;
      } finally {
        meters.observe("styr_network_apply_duration_seconds", (clock.monotonic() - beganMs) / 1000, part.name);
      }
    },
  });
}

/** Asked at every scrape: what the parts say of themselves. */
export function provideNetwork(meters: AgentMeters, plane: PlaneView): void {
  const parts = () => plane.report.parts;
  const reportOf = (name: string): PartReport | undefined => parts().find((part) => part.name === name);
  const fact = (part: string, name: string) => {
    const value = reportOf(part)?.facts?.[name];
    return typeof value === "number" ? value : undefined;
  };
  meters.provide("styr_network_part_working", () =>
    Object.fromEntries(
      parts().flatMap(({ name, state }) => (state === "off" ? [] : [[name, Number(state === "working")]])),
    ),
  );
  meters.provide("styr_network_news_behind", () => plane.report.revision - plane.report.appliedRevision);
  meters.provide("styr_network_services", () => fact("services", "services"));
  meters.provide("styr_network_policies", () => fact("policies", "policies"));
  meters.provide("styr_network_policed_pods", () => fact("policies", "pods"));
  meters.provide("styr_network_routes", () => fact("way in", "routes"));
  meters.provide("styr_network_connections", () => fact("pod network", "connections"));
  meters.provide("styr_network_connections_max", () => fact("pod network", "most connections"));
  meters.provide("styr_network_peers", () => peersOf(parts()));
  provideWayIn(meters, () => reportOf("way in")?.traffic ?? []);
  meters.provide("styr_dns_queries_total", () => dnsOf(reportOf("names")));
}

function peersOf(parts: readonly PartReport[]): readonly Sample[] {
  const counts = { reachable: 0, unreachable: 0, unknown: 0 };
  for (const { state } of parts.flatMap(({ peers }) => peers ?? [])) counts[state]++;
  return Object.entries(counts).map(([state, value]) => ({ labels: [state], value }));
}

/** Result → the names part's own word for it. */
const DNS_RESULTS = {
  answered: "ok",
  no_such_name: "noSuchName",
  failed: "failed",
  refused: "refused",
  limited: "limited",
  malformed: "malformed",
  stranger: "strangers",
};

function dnsOf(report: PartReport | undefined): readonly Sample[] {
  return Object.entries(DNS_RESULTS).flatMap(([result, fact]) => {
    const value = report?.facts?.[fact];
    return typeof value === "number" ? [{ labels: [result], value }] : [];
  });
}
