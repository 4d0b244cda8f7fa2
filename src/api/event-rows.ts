import { type Event, events } from "../model/event.ts";
import { keyOf } from "../model/meta.ts";
import type { EventRow } from "../model/reports.ts";
import type { Workload, WorkloadReader } from "../model/workload.ts";

/** Events, oldest first. With `only`, those about that workload: its object and its pods. */
export function listEvents(
  reader: WorkloadReader,
  workloads: readonly Workload[],
  only?: { readonly workload: Workload; readonly uids: ReadonlySet<string> },
): readonly EventRow[] {
  const owners = new Map<string, string>();
  for (const workload of workloads) for (const { uid } of workload.pods) owners.set(uid, workload.name);
  return reader
    .list(events)
    .filter((event) => only === undefined || isAbout(event, only))
    .sort(inOrder)
    .map((event) => eventRow(event, owners.get(event.involvedObject.uid)));
}

/** As it happened: times have whole seconds, and what was written later came later. */
export function inOrder(a: Event, b: Event): number {
  if (a.lastTimestamp !== b.lastTimestamp) return a.lastTimestamp < b.lastTimestamp ? -1 : 1;
  return Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion) || (keyOf(a) < keyOf(b) ? -1 : 1);
}

function isAbout(event: Event, { workload, uids }: { workload: Workload; uids: ReadonlySet<string> }): boolean {
  const { kind, name, namespace, uid } = event.involvedObject;
  if (uids.has(uid)) return true;
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return kind === workload.object.kind && (key === workload.object.key || name === workload.object.key);
}

export function eventRow(event: Event, workload?: string): EventRow {
  const { kind, name, namespace } = event.involvedObject;
  const { component, host } = event.source;
  return {
    id: keyOf(event),
    time: event.lastTimestamp,
    firstTime: event.firstTimestamp,
    count: event.count,
    type: event.type,
    reason: event.reason,
    message: event.message,
    about: `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`,
    ...(workload === undefined ? {} : { workload }),
    component,
    ...(host === undefined ? {} : { host }),
  };
}
