import { isNodeReady, nodes } from "../model/node.ts";
import { pods } from "../model/pod.ts";
import type { StatusReport } from "../model/reports.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { StyrApiContext } from "./context.ts";
import { listWorkloads } from "./workloads.ts";

/** How the whole fares, for `styr status`. */
export function statusReport(context: StyrApiContext): StatusReport {
  const { store, version, hostname, startedAtMs, dialects } = context;
  const { lagMs, memoryBytes } = context.process?.() ?? { lagMs: 0, memoryBytes: 0 };
  return {
    version,
    node: hostname,
    startedAt: rfc3339(startedAtMs),
    store: {
      revision: store.revision,
      ...(store.refusal === undefined ? {} : { refusal: store.refusal }),
      objects: Object.fromEntries(context.kinds.map((kind) => [kind.name, store.count(kind)])),
    },
    nodes: nodesReport(context),
    pods: count(store.list(pods).map(({ status }) => status.phase)),
    workloads: count(listWorkloads(store, context.sources).map(({ status }) => status)),
    lagMs,
    memoryBytes,
    dialects,
  };
}

function nodesReport({ store }: StyrApiContext): StatusReport["nodes"] {
  const all = store.list(nodes);
  const troubles = all.flatMap((node) => {
    const { name } = node.metadata;
    const silent = isNodeReady(node) ? [] : [`${name} is not ready`];
    const drivers = Object.entries(node.status.drivers).filter(([, report]) => !report.ready);
    return [...silent, ...drivers.map(([driver, { reason }]) => `${name}: ${driver}: ${reason ?? "not ready"}`)];
  });
  return { ready: all.filter(isNodeReady).length, total: all.length, troubles };
}

function count(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
