import { type Event, events } from "../model/event.ts";
import { exposures } from "../model/exposure.ts";
import { ingresses } from "../model/ingress.ts";
import { keyOf } from "../model/meta.ts";
import type { EventRow } from "../model/reports.ts";
import { hostsOf } from "../model/way-in/ingress-routes.ts";
import type { Workload } from "../model/workload.ts";
import type { Clock } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import type { Reader } from "../store/transaction.ts";
import type { Found } from "./find.ts";
import { namespaceOfWorkload, type Part, sees } from "./own-part.ts";
import { slices } from "./slices.ts";
import { idOf } from "./workload-id.ts";

/** An event's row, and what says which workload it is about. */
export interface EventEntry {
  readonly row: EventRow;
  readonly about: { readonly uid: string; readonly kind: string };
  /** Identity of the workload that it belongs to. */
  readonly owner?: string;
}

/** Events, oldest first. In slices. */
export async function listEvents(
  store: Store,
  workloads: readonly Workload[],
  clock: Clock,
): Promise<readonly EventEntry[]> {
  const slice = slices(clock);
  const ownerOf = ownersOf(workloads, store);
  const entries: EventEntry[] = [];
  for (const event of [...store.scan(events)].sort(inOrder)) {
    const owner = ownerOf(event);
    const { uid, kind } = event.involvedObject;
    const row = eventRow(event, owner?.name);
    entries.push({ row, about: { uid, kind }, ...(owner === undefined ? {} : { owner: idOf(owner) }) });
    await slice();
  }
  return entries;
}

/** As it happened: times have whole seconds, and what was written later came later. */
export function inOrder(a: Event, b: Event): number {
  if (a.lastTimestamp !== b.lastTimestamp) return a.lastTimestamp < b.lastTimestamp ? -1 : 1;
  return Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion) || (keyOf(a) < keyOf(b) ? -1 : 1);
}

/** What an event's row belongs to: by its pod, by its own object, or, for a pod that is gone, by what that pod was named after. */
function ownersOf(workloads: readonly Workload[], reader: Reader): (event: Event) => Workload | undefined {
  const byUid = new Map<string, Workload>();
  const byObject = new Map<string, Workload>();
  const byStem = new Map<string, Workload>();
  for (const workload of workloads) {
    for (const { uid } of workload.pods) byUid.set(uid, workload);
    byObject.set(`${workload.object.kind} ${workload.object.key}`, workload);
    for (const stem of stemsOf(workload)) byStem.set(stem, workload);
  }
  // What is said of an exposure is about the workload that was exposed.
  const byName = new Map(workloads.map((workload) => [exposedAs(workload), workload]));
  for (const { metadata, spec } of reader.list(exposures)) {
    const exposed = byName.get(exposedAs(spec.workload));
    if (exposed) byUid.set(metadata.uid, exposed);
  }
  return ({ involvedObject }) => {
    const { kind, name, namespace, uid } = involvedObject;
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    const itself = byUid.get(uid) ?? byObject.get(`${kind} ${key}`) ?? byObject.get(`${kind} ${name}`);
    return itself ?? (kind === "Pod" ? byStem.get(stemOf(key)) : undefined);
  };
}

function exposedAs({ dialect, namespace = "", name }: Pick<Workload, "dialect" | "name" | "namespace">): string {
  return `${dialect}\n${namespace}\n${name}`;
}

/** What pods of a controller are named after. A pod of its own is itself the object. */
function stemsOf({ kind, dialect, name, object, pods }: Workload): readonly string[] {
  if (kind === "Pod" && dialect === "kubernetes") return [];
  const bare = name.replace(/^\//, "");
  const stems = [object.key, `${dialect}/${bare}`, `${dialect}/${bare.replaceAll(/[^a-z0-9]+/g, "-")}`];
  return [...stems, ...pods.map(({ key }) => stemOf(key))];
}

/** Without the random end that controllers give their pods' names: 5 characters, or Marathon's 10. */
function stemOf(podKey: string): string {
  return podKey.replace(/-(?:[a-z0-9]{5}|[a-z0-9]{10})$/, "");
}

/** The workload's own events and its copies'; when all copies are meant, also those of copies that are gone. */
export function eventsAbout({ workload, pods: meant }: Found): (entry: EventEntry) => boolean {
  const uids = new Set(meant.map(({ uid }) => uid));
  const others = new Set(workload.pods.map(({ uid }) => uid));
  const id = idOf(workload);
  return ({ about: { uid, kind }, owner }) => {
    if (uids.has(uid)) return true;
    if (others.has(uid)) return false;
    const isOfAll = kind === workload.object.kind || uids.size === workload.pods.length;
    return isOfAll && owner === id;
  };
}

/** Those of Ingresses and exposures of this name, or of this host; undefined: there is none that is seen. */
export function eventsOfRoutes(reader: Reader, name: string, part: Part): ((entry: EventEntry) => boolean) | undefined {
  const uids = new Set<string>();
  for (const ingress of reader.list(ingresses)) {
    const names = [ingress.metadata.name, keyOf(ingress), ...hostsOf(ingress)];
    if (names.includes(name) && sees(part, ingress.metadata.namespace ?? "")) uids.add(ingress.metadata.uid);
  }
  for (const { metadata, spec } of reader.list(exposures))
    if ([metadata.name, spec.host].includes(name) && sees(part, namespaceOfWorkload(spec.workload)))
      uids.add(metadata.uid);
  return uids.size === 0 ? undefined : ({ about }) => uids.has(about.uid);
}

/** A node's own: what happened to it, also before it was made anew. */
export function eventsOfNode(name: string): (entry: EventEntry) => boolean {
  const about = `Node ${name}`;
  return ({ row }) => row.about === about;
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
