import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import type { Sample } from "../../metrics/definition.ts";
import type { BackendStats } from "../../network/way-in/stats.ts";

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/** Asked at every scrape: what HAProxy counted last. After its reload it counts anew, as counters may. */
export function provideWayIn(meters: AgentMeters, traffic: () => readonly BackendStats[]): void {
  const routes = () => [...Map.groupBy(traffic(), ({ source }) => source)];
  meters.provide("styr_way_in_answers_total", () =>
    routes().flatMap(([route, all]) =>
      CLASSES.map((name): Sample => ({ labels: [route, name], value: sum(all, ({ answers }) => answers[name] ?? 0) })),
    ),
  );
  meters.provide("styr_way_in_retries_total", () =>
    routes().map(([route, all]): Sample => ({ labels: [route], value: sum(all, ({ retries }) => retries) })),
  );
  meters.provide("styr_way_in_response_seconds", () =>
    routes().flatMap(([route, all]): readonly Sample[] => {
      if (route === "all") return [];
      const requests = sum(all, (each) => each.requests);
      const totalMs = sum(all, (each) => each.responseMs * each.requests);
      return requests === 0 ? [] : [{ labels: [route], value: totalMs / requests / 1000 }];
    }),
  );
}

function sum(all: readonly BackendStats[], of: (stats: BackendStats) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}
