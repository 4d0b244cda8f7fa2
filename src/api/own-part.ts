/** Our own endpoints are about the whole cluster; whoever has rights in some namespaces only is shown his part of it. */
import { type Access, type Actor, authorize, namespacesFor } from "../http/actor.ts";
import { NotAllowed } from "../http/not-allowed.ts";
import { pods } from "../model/pod.ts";
import type { StatusReport } from "../model/reports.ts";
import type { Workload } from "../model/workload.ts";
import type { Reader } from "../store/transaction.ts";
import { Troubled } from "./status-details.ts";

/** Namespaces that somebody may see; undefined: all, which is what nearly everybody has and costs nothing. */
export type Part = ReadonlySet<string> | undefined;

export function partOf(actor: Actor, access: Access): Part {
  const namespaces = namespacesFor(actor, access);
  return namespaces && new Set(namespaces);
}

export function sees(part: Part, namespace: string): boolean {
  return part === undefined || part.has(namespace);
}

/** A dialect without namespaces has one of its own, which is named as it is (model/system-namespaces.ts). */
export function namespaceOfWorkload({ namespace, dialect }: Pick<Workload, "namespace" | "dialect">): string {
  return namespace ?? dialect;
}

/** Of `namespace/name`. */
export function namespaceOfKey(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf("/")));
}

/** For the handlers of routes that reach an `own part`: the right is needed where the thing itself lies. */
export function mustBeAllowed(actor: Actor, access: Access, namespace: string): void {
  const there: Access = { ...access, reach: { namespace } };
  if (!authorize(actor, access, namespace)) throw new NotAllowed(actor, there, {});
}

/**
 * What is said of all namespaces says too much about those of others: named field by field, so that a new one is not
 * told to everybody. Troubles of nodes name what they wait for.
 */
export function statusOfPart(
  report: StatusReport,
  reader: Reader,
  workloads: readonly Workload[],
  part: ReadonlySet<string>,
): StatusReport {
  const mine = workloads.filter((workload) => sees(part, namespaceOfWorkload(workload)));
  const troubled = new Troubled();
  for (const workload of mine) troubled.see(workload);
  const { version, node, startedAt, brake, lagMs, memoryBytes, dialects } = report;
  const { revision, refusal } = report.store;
  return {
    ...{ version, node, startedAt, lagMs, memoryBytes, dialects },
    store: { revision, ...(refusal === undefined ? {} : { refusal }), objects: {} },
    nodes: { ...report.nodes, troubles: [] },
    ...(brake ? { brake } : {}),
    pods: count([...part].flatMap((namespace) => reader.list(pods, namespace).map(({ status }) => status.phase))),
    workloads: count(mine.map(({ status }) => status)),
    ...(troubled.rows.length === 0 ? {} : { troubled: troubled.rows }),
  };
}

function count(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
