/** GET /metrics: the cluster and this process as Prometheus reads them. docs/metrics.md */
import type { Route } from "../http/route.ts";
import type { MeterSet } from "../metrics/definition.ts";
import { expose } from "../metrics/exposition.ts";
import { Meters } from "../metrics/meters.ts";
import { type ProcessReading, processMeters } from "../metrics/process-metrics.ts";
import { SERVER_METRICS, type ServerMeters } from "../metrics/server-metrics.ts";
import { KEYRING_NAME, keyrings } from "../model/keyring.ts";
import type { Kind } from "../model/meta.ts";
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
  provideServers(meters, context);
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

function provideServers(meters: ServerMeters, { store, servers, kinds, clock }: StyrApiContext): void {
  const rows = () => servers?.rows() ?? [];
  meters.provide("styr_servers", () => {
    const counts: Record<string, number> = {};
    for (const { state } of rows()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  });
  meters.provide("styr_server_behind_revisions", () =>
    Object.fromEntries(rows().flatMap(({ name, behind }) => (behind === undefined ? [] : [[name, behind]]))),
  );
  if (!kinds.includes(keyrings as unknown as Kind)) return;
  meters.provide("styr_secrets_key_age_seconds", () => {
    const spec = store.get(keyrings, KEYRING_NAME)?.spec;
    const key = spec?.dataKeys.find(({ id }) => id === spec.primary);
    return key === undefined ? undefined : Math.round((clock.now() - Date.parse(key.madeAt)) / 1000);
  });
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
