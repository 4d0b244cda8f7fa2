/** What is wrong with a cluster, by its status, and what to do about it. Pure; the worst comes first. */
import type { ServerRow, StatusReport } from "../model/reports.ts";

export interface Problem {
  /** One sentence, as `styr status --check` prints it. */
  readonly words: string;
  /** A command worth typing. */
  readonly next?: string;
}

/** Above this, requests feel slow and probes may be late. */
export const SLOW_LOOP_MS = 200;

export function problemsOf(report: StatusReport): readonly Problem[] {
  return [
    ...ofRestored(report),
    ...ofServers(report),
    ...ofNodes(report),
    ...(report.troubled ?? []).map(ofWorkload),
    ...ofWaiting(report),
    ...(report.certificates ?? []).map(({ name, endsAt }) => ({
      words: `the certificate ${name} of ${report.node} ends at ${endsAt} and was not renewed`,
      next: "styr ca status",
    })),
  ];
}

function ofRestored({ restored }: StatusReport): readonly Problem[] {
  if (restored === undefined) return [];
  return [{ words: `the cluster was restored ${restored}`, next: "styr restore status" }];
}

function isLed(servers: readonly ServerRow[]): boolean {
  return servers.length === 0 || servers.some(({ state }) => state === "leads");
}

function ofServers({ store, servers = [], lagMs, node }: StatusReport): readonly Problem[] {
  const leads = isLed(servers);
  return [
    ...(store.refusal === undefined ? [] : [{ words: `the store refuses writes: ${store.refusal}` }]),
    ...(store.trouble === undefined ? [] : [{ words: `the store is in trouble: ${store.trouble}` }]),
    ...(leads ? [] : [{ words: "no server leads: writes wait, what runs goes on", next: "styr status" }]),
    ...servers
      .filter(({ state }) => state === "silent")
      .map(({ name }) => ({ words: `server ${name} is silent`, next: "styr status" })),
    ...(lagMs < SLOW_LOOP_MS
      ? []
      : [{ words: `the event loop of ${node} is late by ${Math.round(lagMs)} ms`, next: "styr top" }]),
  ];
}

function ofNodes({ brake, nodes }: StatusReport): readonly Problem[] {
  const { ready, total, states, troubles } = nodes;
  return [
    ...(brake ? [{ words: `the brake holds: ${brake.words}`, next: "styr brake" }] : []),
    ...(total === 0 ? [{ words: "there is no node: nothing can run", next: "styr token create --role agent" }] : []),
    ...troubles.map((words) => ({ words, next: "styr nodes" })),
    // Each that is not ready has said why; while none leads, that has been said.
    ...(ready + (states.unknown ?? 0) < total && troubles.length === 0
      ? [{ words: `${total - ready} of ${total} nodes are not ready`, next: "styr nodes" }]
      : []),
  ];
}

function ofWorkload({ name, status, error }: NonNullable<StatusReport["troubled"]>[number]): Problem {
  return { words: `${name} is ${status}${error === undefined ? "" : `: ${error}`}`, next: `styr why ${name}` };
}

/** Said once: a workload that is not placed has said so. */
function ofWaiting({ waiting = [], troubled = [] }: StatusReport): readonly Problem[] {
  if (troubled.some(({ status }) => status === "unplaced")) return [];
  return waiting.map(({ words, pods }) => ({
    words: `${pods} ${pods === 1 ? "pod waits" : "pods wait"}: ${words}`,
    next: "styr ps",
  }));
}

/** Commands worth typing, each once, in the order of what they are for. */
export function nextSteps(problems: readonly Problem[], most = 3): readonly string[] {
  return [...new Set(problems.flatMap(({ next }) => next ?? []))].slice(0, most);
}
