/** GET /metrics: the cluster as Prometheus reads it. The library is loaded by the first scrape. */
import type { Counter, Gauge, Registry } from "prom-client";
import type { Route } from "../http/route.ts";
import { nodes } from "../model/node.ts";
import type { StyrApiContext } from "./context.ts";
import { stateWord } from "./node-rows.ts";
import type { PodTally } from "./pod-tally.ts";

export function metricsRoutes(context: StyrApiContext, tally: PodTally): readonly Route[] {
  let registry: Promise<Registry> | undefined;
  return [
    {
      method: "GET",
      path: "/metrics",
      access: { verb: "read", resource: "metrics" },
      async handle() {
        registry ??= makeRegistry(context, tally);
        const all = await registry;
        await tally.upToDate();
        return new Response(await all.metrics(), { headers: { "Content-Type": all.contentType } });
      },
    },
  ];
}

/** Values by label; "" for a metric without one. */
type Reading = Readonly<Record<string, number>>;

interface Measure {
  readonly name: string;
  readonly help: string;
  readonly label?: string;
  readonly isCounter?: true;
  /** Shown as 0 when nothing of it is there: an alert needs a value. */
  readonly always?: readonly string[];
  read(): Reading;
}

async function makeRegistry(context: StyrApiContext, tally: PodTally): Promise<Registry> {
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  for (const { name, help, label, isCounter, always = [], read } of measures(context, tally)) {
    const options = { name, help, labelNames: label === undefined ? [] : [label], registers: [registry] };
    const set = (metric: Pick<Gauge, "reset">, put: (labels: Record<string, string>, value: number) => void) => {
      metric.reset();
      const values = { ...Object.fromEntries(always.map((word) => [word, 0])), ...read() };
      for (const [word, value] of Object.entries(values)) put(label === undefined ? {} : { [label]: word }, value);
    };
    if (isCounter) {
      const counter: Counter = new Counter({
        ...options,
        collect: () => set(counter, (labels, value) => counter.inc(labels, value)),
      });
    } else {
      const gauge: Gauge = new Gauge({
        ...options,
        collect: () => set(gauge, (labels, value) => gauge.set(labels, value)),
      });
    }
  }
  return registry;
}

const STATES = ["ready", "suspect", "restarting", "unreachable", "gone", "not ready"] as const;
const PHASES = ["Pending", "Running", "Succeeded", "Failed"] as const;
const REASONS = ["NodeUnreachable", "Drain", "Rebalance"] as const;

function measures(context: StyrApiContext, tally: PodTally): readonly Measure[] {
  const { store, lifecycle, version, startedAtMs } = context;
  const one = (value: number): Reading => ({ "": value });
  return [
    {
      name: "styr_nodes",
      help: "Nodes by how their leases have them.",
      label: "state",
      always: STATES,
      read: () => nodeStates(context),
    },
    {
      name: "styr_brake_held",
      help: "1 while too many nodes are silent at once and their pods are not replaced.",
      read: () => one(lifecycle?.brake ? 1 : 0),
    },
    {
      name: "styr_brake_held_nodes",
      help: "Silent nodes whose pods the brake keeps from being replaced.",
      read: () => one(lifecycle?.brake?.nodes.length ?? 0),
    },
    {
      name: "styr_pods",
      help: "Pods by phase.",
      label: "phase",
      always: PHASES,
      read: () => Object.fromEntries(tally.phases),
    },
    { name: "styr_pods_lost", help: "Pods on unreachable nodes.", read: () => one(tally.lost) },
    {
      name: "styr_pod_moves_total",
      help: "Pods that were to be replaced elsewhere, by reason.",
      label: "reason",
      isCounter: true,
      always: REASONS,
      read: () => movesOf(context, tally),
    },
    { name: "styr_store_revision", help: "Revision of the store.", read: () => one(store.revision) },
    {
      name: "styr_store_writes",
      help: "1 while the store takes writes.",
      read: () => one(store.refusal === undefined ? 1 : 0),
    },
    {
      name: "styr_event_loop_lag_seconds",
      help: "The longest delay of the event loop of late, without the rarest hundredth.",
      read: () => one((context.process?.().lagMs ?? 0) / 1000),
    },
    {
      name: "process_resident_memory_bytes",
      help: "Resident memory of the server.",
      read: () => one(context.process?.().memoryBytes ?? 0),
    },
    { name: "process_start_time_seconds", help: "When the server started.", read: () => one(startedAtMs / 1000) },
    { name: "styr_build_info", help: "The server's version.", label: "version", read: () => ({ [version]: 1 }) },
  ];
}

/** Of moves off unreachable nodes the lifecycle itself knows best. */
function movesOf({ lifecycle }: StyrApiContext, { moves }: PodTally): Reading {
  const counted = Object.fromEntries(moves);
  return lifecycle?.moves ? { ...counted, NodeUnreachable: lifecycle.moves.done } : counted;
}

/** Looks at nodes only, of which there are some thousands at most. */
function nodeStates({ store, lifecycle }: StyrApiContext): Reading {
  const counts: Record<string, number> = {};
  for (const node of store.list(nodes)) {
    const word = stateWord(node, lifecycle?.stateOf(node.metadata.name));
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
