import type { DiscoverPod, PodDiscovery } from "../model/discovery.ts";
import type { NetworkEntry } from "../model/network.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import type { Change, Reader } from "../store/transaction.ts";
import { endpointsOfPod, namesOfPod, serviceOf } from "./discovered-entries.ts";
import type { EntrySink, EntrySource } from "./entry-source.ts";

/** What other dialects than Kubernetes say of their pods: names, ports on every node, and routes from outside. */
export function discoveredSource(discover: readonly DiscoverPod[]): EntrySource {
  return new DiscoveredSource(discover);
}

/** What one pod says of something that several pods make together. */
interface Voice {
  readonly uid: string;
  /** Of voices that differ the newest pod's counts: during a deployment that is the newer version's. */
  readonly createdAt: string;
  readonly entry: NetworkEntry;
}

interface Told {
  /** Entries of this pod alone. */
  readonly own: readonly NetworkEntry[];
  readonly shared: readonly NetworkEntry[];
}

const NOTHING: Told = { own: [], shared: [] };

class DiscoveredSource implements EntrySource {
  readonly name = "discovered";
  readonly kinds = [pods];
  readonly #discover: readonly DiscoverPod[];
  readonly #told = new Map<string, Told>();
  /** `service id` and `route id` → who speaks for it. */
  readonly #choirs = new Map<string, Choir>();

  constructor(discover: readonly DiscoverPod[]) {
    this.#discover = discover;
  }

  begin(reader: Reader, sink: EntrySink): void {
    if (this.#discover.length === 0) return;
    for (const pod of reader.list(pods)) this.#take(pod, this.#tellOf(pod, reader), sink);
  }

  changed(changes: readonly Change[], reader: Reader, sink: EntrySink): void {
    if (this.#discover.length === 0) return;
    for (const { type, object } of changes) {
      const pod = object as Pod;
      this.#take(pod, type === "removed" ? NOTHING : this.#tellOf(pod, reader), sink);
    }
  }

  #tellOf(pod: Pod, reader: Reader): Told {
    if (isTerminal(pod)) return NOTHING;
    const found = this.#discover.flatMap((discover) => discover(pod, reader) ?? []);
    return { own: found.flatMap((each) => ownEntries(pod, each)), shared: found.flatMap(sharedEntries) };
  }

  #take({ metadata }: Pod, told: Told, sink: EntrySink): void {
    const { uid, creationTimestamp } = metadata;
    const before = this.#told.get(uid) ?? NOTHING;
    if (told.own.length + told.shared.length === 0) this.#told.delete(uid);
    else this.#told.set(uid, told);
    replace(before.own, told.own, sink);
    for (const entry of told.shared) this.#say({ uid, createdAt: creationTimestamp, entry }, sink);
    const now = new Set(told.shared.map(nameOf));
    for (const entry of before.shared) if (!now.has(nameOf(entry))) this.#fallSilent(uid, entry, sink);
  }

  #say(voice: Voice, sink: EntrySink): void {
    const name = nameOf(voice.entry);
    const choir = this.#choirs.get(name) ?? new Choir();
    this.#choirs.set(name, choir);
    if (choir.say(voice)) tell(voice.entry, sink);
  }

  #fallSilent(uid: string, { kind, id }: NetworkEntry, sink: EntrySink): void {
    const name = `${kind} ${id}`;
    const choir = this.#choirs.get(name);
    if (choir?.fallSilent(uid) === false) return;
    if (choir?.leader === undefined) {
      this.#choirs.delete(name);
      sink.remove(kind, id);
    } else tell(choir.leader.entry, sink);
  }
}

/** All who speak for one thing. Who leads is kept, so that of 15,000 copies not all are looked at for the news of each. */
class Choir {
  readonly #voices = new Map<string, Voice>();
  #leader: Voice | undefined;

  get leader(): Voice | undefined {
    return this.#leader;
  }

  /** Whether it leads. Nobody's time of creation changes, so who led leads on with its next word. */
  say(voice: Voice): boolean {
    this.#voices.set(voice.uid, voice);
    const leads = this.#leader === undefined || this.#leader.uid === voice.uid || isNewer(voice, this.#leader);
    if (leads) this.#leader = voice;
    return leads;
  }

  /** Whether it led. */
  fallSilent(uid: string): boolean {
    this.#voices.delete(uid);
    if (this.#leader?.uid !== uid) return false;
    this.#leader = undefined;
    for (const voice of this.#voices.values())
      if (this.#leader === undefined || isNewer(voice, this.#leader)) this.#leader = voice;
    return true;
  }
}

/** Routes may have hashed passwords, and name Secrets. */
function tell(entry: NetworkEntry, sink: EntrySink): void {
  sink.put(entry, entry.kind === "route" ? "ways-in" : "all");
}

function isNewer(a: Voice, b: Voice): boolean {
  return a.createdAt === b.createdAt ? a.uid < b.uid : a.createdAt > b.createdAt;
}

function replace(before: readonly NetworkEntry[], after: readonly NetworkEntry[], sink: EntrySink): void {
  const now = new Set(after.map(nameOf));
  for (const entry of after) sink.put(entry);
  for (const { kind, id } of before) if (!now.has(`${kind} ${id}`)) sink.remove(kind, id);
}

function ownEntries(pod: Pod, { records, services }: PodDiscovery): readonly NetworkEntry[] {
  return [...namesOfPod(pod, records), ...services.flatMap((service) => endpointsOfPod(pod, service))];
}

function sharedEntries({ services, routes }: PodDiscovery): readonly NetworkEntry[] {
  return [...services.map(serviceOf), ...routes.map((route) => ({ kind: "route", ...route }) as const)];
}

function nameOf({ kind, id }: NetworkEntry): string {
  return `${kind} ${id}`;
}
