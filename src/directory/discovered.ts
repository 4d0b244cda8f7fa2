import type { DiscoverPod, PodDiscovery, Publication, Publisher } from "../model/discovery.ts";
import type { StoredObject } from "../model/meta.ts";
import type { NetworkEntry } from "../model/network.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { Change, Reader } from "../store/transaction.ts";
import { endpointsOfPod, namesOfPod, serviceOf } from "./discovered-entries.ts";
import type { EntrySink, EntrySource } from "./entry-source.ts";

export interface Discovery {
  readonly discover: readonly DiscoverPod[];
  readonly publishers: readonly Publisher[];
}

/**
 * What other dialects than Kubernetes say: names and endpoints of their pods; and of the objects that these are copies of, ports on every
 * node and routes from outside. Those follow the object: who has no copy just now keeps its ports and its hosts.
 */
export function discoveredSource(discovery: Discovery): EntrySource {
  return new DiscoveredSource(discovery);
}

class DiscoveredSource implements EntrySource {
  readonly name = "discovered";
  readonly kinds: EntrySource["kinds"];
  readonly #discover: readonly DiscoverPod[];
  /** Kind → who reads its objects. */
  readonly #publishers: ReadonlyMap<string, Publisher>;
  /** `Pod uid`, `App key` → what was told of it. */
  readonly #told = new Map<string, readonly NetworkEntry[]>();

  constructor({ discover, publishers }: Discovery) {
    this.#discover = discover;
    this.#publishers = new Map(publishers.map((publisher) => [publisher.kind.name, publisher]));
    this.kinds = [pods as EntrySource["kinds"][number], ...publishers.map(({ kind }) => kind)];
  }

  begin(reader: Reader, sink: EntrySink): void {
    for (const publisher of this.#publishers.values())
      for (const object of reader.list(publisher.kind))
        this.#take(objectId(object), publishedEntries(publisher.tell(object)), sink);
    if (this.#discover.length === 0) return;
    for (const pod of reader.list(pods)) this.#take(podId(pod), this.#tellOf(pod), sink);
  }

  changed(changes: readonly Change[], _reader: Reader, sink: EntrySink): void {
    for (const { type, kind, object } of changes) {
      const isGone = type === "removed";
      const publisher = this.#publishers.get(kind.name);
      if (publisher) this.#take(objectId(object), isGone ? [] : publishedEntries(publisher.tell(object)), sink);
      else this.#take(podId(object), isGone ? [] : this.#tellOf(object as Pod), sink);
    }
  }

  #tellOf(pod: Pod): readonly NetworkEntry[] {
    if (isTerminal(pod)) return [];
    return this.#discover.flatMap((discover) => podEntries(pod, discover(pod) ?? NOTHING));
  }

  #take(who: string, entries: readonly NetworkEntry[], sink: EntrySink): void {
    const now = new Set(entries.map(nameOf));
    for (const entry of entries) tell(entry, sink);
    for (const entry of this.#told.get(who) ?? []) if (!now.has(nameOf(entry))) sink.remove(entry.kind, entry.id);
    if (entries.length === 0) this.#told.delete(who);
    else this.#told.set(who, entries);
  }
}

const NOTHING: PodDiscovery = { records: [], services: [] };

/** Routes may have hashed passwords, and name Secrets. */
function tell(entry: NetworkEntry, sink: EntrySink): void {
  sink.put(entry, entry.kind === "route" ? "ways-in" : "all");
}

function podEntries(pod: Pod, { records, services }: PodDiscovery): readonly NetworkEntry[] {
  return [...namesOfPod(pod, records), ...services.flatMap((service) => endpointsOfPod(pod, service))];
}

function publishedEntries({ services, routes }: Publication): readonly NetworkEntry[] {
  return [...services.map(serviceOf), ...routes.map((route) => ({ kind: "route", ...route }) as const)];
}

/** Entries of a pod have its uid for an id; those of other objects have their names. */
function podId({ metadata }: StoredObject): string {
  return `Pod ${metadata.uid}`;
}

function objectId({ kind, metadata }: StoredObject): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

function nameOf({ kind, id }: NetworkEntry): string {
  return `${kind} ${id}`;
}
