/** GET /metrics: the cluster and this process as Prometheus reads them. docs/metrics.md */
import type { Route } from "../http/route.ts";
import type { MeterSet } from "../metrics/definition.ts";
import { expose } from "../metrics/exposition.ts";
import { Meters } from "../metrics/meters.ts";
import { type ProcessReading, processMeters } from "../metrics/process-metrics.ts";
import { SERVER_METRICS, type ServerMeters } from "../metrics/server-metrics.ts";
import { nodes } from "../model/node.ts";
import type { CertificateEnd, StyrApiContext } from "./context.ts";
import { stateWord } from "./node-rows.ts";
import type { PodTally } from "./pod-tally.ts";

export function metricsRoutes(context: StyrApiContext, tally: PodTally): readonly Route[] {
  const sets = () => meterSets(context, tally);
  let made: readonly MeterSet[] | undefined;
  return [
    {
      method: "GET",
      path: "/metrics",
      access: { verb: "read", resource: "metrics" },
      async handle() {
        made ??= sets();
        await tally.upToDate();
        const { text, contentType } = await expose([...made, ...(context.moreMeters?.() ?? [])]);
        return new Response(text, { headers: { "Content-Type": contentType } });
      },
    },
  ];
}

function meterSets(context: StyrApiContext, tally: PodTally): readonly MeterSet[] {
  const meters: ServerMeters = context.meters ?? new Meters(SERVER_METRICS);
  provideStored(meters, context);
  meters.provide("styr_watches_open", () => context.store.watches);
  providePods(meters, context, tally);
  return [meters, processMeters(() => processReading(context), context)];
}

function processReading({ process, certificates, clock }: StyrApiContext): ProcessReading {
  const seconds = ({ endsAtMs }: CertificateEnd) => Math.round((endsAtMs - clock.now()) / 1000);
  return {
    ...(process?.() ?? { lagMs: 0, memoryBytes: 0 }),
    ...(certificates
      ? { certificates: Object.fromEntries(certificates().map((one) => [one.name, seconds(one)])) }
      : {}),
  };
}

/** Looks at nodes only, of which there are some thousands at most; the rest is counted already. */
function provideStored(meters: ServerMeters, context: StyrApiContext): void {
  const { store, lifecycle, kinds } = context;
  meters.provide("styr_store_revision", () => store.revision);
  meters.provide("styr_store_writes", () => (store.refusal === undefined ? 1 : 0));
  meters.provide("styr_store_objects", () => Object.fromEntries(kinds.map((kind) => [kind.name, store.count(kind)])));
  meters.provide("styr_nodes", () => nodeStates(context));
  meters.provide("styr_brake_held", () => (lifecycle?.brake ? 1 : 0));
  meters.provide("styr_brake_held_nodes", () => lifecycle?.brake?.nodes.length ?? 0);
}

function providePods(meters: ServerMeters, { lifecycle }: StyrApiContext, tally: PodTally): void {
  meters.provide("styr_pods", () => Object.fromEntries(tally.phases));
  meters.provide("styr_pods_lost", () => tally.lost);
  meters.provide("styr_pod_moves_total", () => {
    const counted = Object.fromEntries(tally.moves);
    // Of moves off unreachable nodes the lifecycle itself knows best.
    return lifecycle?.moves ? { ...counted, NodeUnreachable: lifecycle.moves.done } : counted;
  });
}

function nodeStates({ store, lifecycle }: StyrApiContext): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const node of store.list(nodes)) {
    const word = stateWord(node, lifecycle?.stateOf(node.metadata.name));
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
