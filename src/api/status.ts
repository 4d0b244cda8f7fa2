import { type Node, networkTroubles, nodes } from "../model/node.ts";
import { nodeDrains } from "../model/node-drain.ts";
import type { NodeState } from "../model/node-state.ts";
import type { Condition } from "../model/pod.ts";
import type { StatusReport } from "../model/reports.ts";
import { rfc3339 } from "../seams/clock.ts";
import { brakeReport } from "./brake.ts";
import type { StyrApiContext } from "./context.ts";
import { drainTroubles } from "./drain-sentences.ts";
import { stateWord } from "./node-rows.ts";
import type { PodTally } from "./pod-tally.ts";
import { restoredWords } from "./restoration.ts";
import { statusDetails, Troubled } from "./status-details.ts";
import { eachWorkload } from "./workloads.ts";

/** How the whole fares, for `styr status`. */
export async function statusReport(context: StyrApiContext, tally: PodTally): Promise<StatusReport> {
  const { store, clock, sources, version, hostname, startedAtMs, dialects } = context;
  await tally.upToDate();
  const statuses: string[] = [];
  const troubled = new Troubled();
  for await (const workload of eachWorkload(store, sources, clock)) {
    statuses.push(workload.status);
    troubled.see(workload);
  }
  const details = await statusDetails(context);
  const brake = brakeReport(context);
  const trouble = await context.storeTrouble?.();
  const { lagMs, memoryBytes } = context.process?.() ?? { lagMs: 0, memoryBytes: 0 };
  return {
    version,
    node: hostname,
    startedAt: rfc3339(startedAtMs),
    ...(context.servers ? { servers: context.servers.rows() } : {}),
    store: {
      revision: store.revision,
      ...(context.storePlace === undefined ? {} : { place: context.storePlace }),
      ...refusalOf(context),
      ...(trouble === undefined ? {} : { trouble }),
      objects: Object.fromEntries(context.kinds.map((kind) => [kind.name, store.count(kind)])),
    },
    nodes: nodesReport(context),
    ...(brake ? { brake } : {}),
    ...restoredWords(store),
    pods: Object.fromEntries([...tally.phases].filter(([, number]) => number > 0)),
    workloads: count(statuses),
    ...(troubled.rows.length === 0 ? {} : { troubled: troubled.rows }),
    ...details,
    lagMs,
    memoryBytes,
    dialects,
  };
}

/** Why writes are refused at present. */
function refusalOf({ store, isLed }: StyrApiContext): { readonly refusal?: string } {
  const refusal = store.refusal ?? (isLed?.() === false ? "no server leads at present" : undefined);
  return refusal === undefined ? {} : { refusal };
}

function nodesReport({ store, lifecycle, clock, isLed }: StyrApiContext): StatusReport["nodes"] {
  const all = store.list(nodes);
  // What was stored of them last is no knowledge: who would have to write that one fell silent is not there.
  if (isLed?.() === false) {
    return { ready: 0, total: all.length, states: count(all.map(() => "unknown")), troubles: [] };
  }
  const troubles = [
    ...all.flatMap((node) => troublesOf(node, lifecycle?.stateOf(node.metadata.name))),
    ...drainTroubles(store.list(nodeDrains), clock.now()),
  ];
  const states = count(all.map((node) => stateWord(node, lifecycle?.stateOf(node.metadata.name))));
  return { ready: states.ready ?? 0, total: all.length, states, troubles };
}

/** Whom a health word is about, where that is a driver: named as its own troubles are. */
const ABOUT: Readonly<Record<string, string>> = {
  EngineSilent: "docker: no answer",
  KeeperSilent: "process, unit: no answer",
};

/** The driver says itself what is wrong with it. */
function isToldBy(broken: readonly (readonly [driver: string, unknown])[], { reason }: Condition): boolean {
  const wanted = reason === "EngineSilent" ? "docker" : reason === "KeeperSilent" ? "process" : undefined;
  return broken.some(([driver]) => driver === wanted);
}

function troublesOf(node: Node, state: NodeState | undefined): readonly string[] {
  const { name } = node.metadata;
  const { conditions, drivers } = node.status;
  const word = stateWord(node, state);
  const health = conditions.find(({ type, status }) => type === "Healthy" && status === "False");
  const broken = Object.entries(drivers).filter(([, report]) => !report.ready);
  return [
    ...(word === "ready" ? [] : [`${name} is ${word}${state && word === state.state ? `: ${state.words}` : ""}`]),
    ...(health && !isToldBy(broken, health)
      ? [`${name}: ${ABOUT[health.reason ?? ""] ?? health.reason}: ${health.message ?? ""}`]
      : []),
    ...broken.map(([driver, { reason }]) => `${name}: ${driver}: ${reason ?? "not ready"}`),
    // Of one that is not heard it is not known.
    ...(word === "ready" ? networkTroubles(node).map((words) => `${name}: network: ${words}`) : []),
  ];
}

function count(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
