/** The cluster's network as this node was told it, and what runs here: what every part of the plane works from. In memory, indexed; no part scans it for one change. */
import { gatewayOf, parseSubnet } from "../../lib/subnet.ts";
import type {
  ClusterEntry,
  EndpointsEntry,
  NetworkEntry,
  NetworkEntryKind,
  NetworkNews,
  NodeEntry,
  PeersEntry,
} from "../../model/network.ts";
import { shelfOf } from "../../model/network-shelves.ts";
import type { PublishedPort } from "../../model/published-ports.ts";
import type { NetworkTables } from "./network-tables.ts";
import type { Touched } from "./touched.ts";
import { settleUnlisted, withUnlisted } from "./unlisted.ts";

/** A pod of this node that has an address of its own, from before its first start to after its end. */
export interface LocalPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its named ports. */
  readonly ports: Readonly<Record<string, number>>;
  /** Absent: none. */
  readonly published?: readonly PublishedPort[];
}

export class NetworkState {
  /** This node's name. */
  readonly nodeName: string;
  readonly tables: NetworkTables = {
    cluster: new Map(),
    node: new Map(),
    service: new Map(),
    endpoints: new Map(),
    names: new Map(),
    policy: new Map(),
    peers: new Map(),
    route: new Map(),
    challenge: new Map(),
  };
  /** By uid. */
  readonly localPods = new Map<string, LocalPod>();
  /** The control plane itself has said it; before that it is what the disk remembers, which may be older than what the kernel has. */
  isTold = false;
  /** Silent nodes that this node does not reach either. */
  readonly lostNodes = new Set<string>();
  /** Id of a service → ids of its endpoints' entries. */
  readonly #slices = new Map<string, Set<string>>();
  /** Group of peers → ids of its entries. */
  readonly #groups = new Map<string, Set<string>>();
  /** Node → ids of services with endpoints there. */
  readonly #servicesOnNode = new Map<string, Map<string, number>>();
  /** Pod of this node, by uid → how many ready endpoints it is. */
  readonly #readyHere = new Map<string, number>();

  readonly #unlisted = new Set<string>();

  /** Pods of this node to which services led until lately. */
  readonly #leftHere = new Set<string>();

  constructor(nodeName: string) {
    this.nodeName = nodeName;
  }

  get cluster(): ClusterEntry | undefined {
    return this.tables.cluster.get("cluster");
  }

  get self(): NodeEntry | undefined {
    return this.tables.node.get(this.nodeName);
  }

  /** This host's own address among its pods, where they ask for names. */
  get gateway(): string | undefined {
    const { podRange } = this.self ?? {};
    return podRange !== undefined && parseSubnet(podRange) ? gatewayOf(podRange) : undefined;
  }

  /** Sorted by id, so that every node that sees the same does the same. */
  endpointsOf(service: string): readonly EndpointsEntry[] {
    const ids = [...(this.#slices.get(service) ?? [])].sort();
    return ids.flatMap((id) => this.tables.endpoints.get(id) ?? []);
  }

  peersOf(group: string): readonly PeersEntry[] {
    return [...(this.#groups.get(group) ?? [])].sort().flatMap((id) => this.tables.peers.get(id) ?? []);
  }

  servicesOnNode(node: string): Iterable<string> {
    return this.#servicesOnNode.get(node)?.keys() ?? [];
  }

  /** Whether some service leads to this pod of this node. */
  isReadyHere(uid: string): boolean {
    return this.#readyHere.has(uid);
  }

  /** Pods of this node that services have ceased to lead to since this was asked last. */
  takeLeft(): readonly string[] {
    const left = [...this.#leftHere].filter((uid) => !this.#readyHere.has(uid));
    this.#leftHere.clear();
    return left;
  }

  /** Keys (`kind id`) of what a restored control plane does not know, in force here until somebody confirms it. */
  get unlisted(): ReadonlySet<string> {
    return this.#unlisted;
  }

  /** Takes news in, and notes in `touched` what is to be looked at again. True: more has changed than was told. */
  hear(news: Exclude<NetworkNews, { type: "settled" }>, touched: Touched): boolean {
    const wasTold = this.isTold;
    this.isTold = true;
    const entries = news.type === "all" ? withUnlisted(this.tables, news) : news.entries;
    if (news.type === "all" && news.kept !== undefined) this.#hearRest(entries, news.kept, touched);
    else if (news.type === "all") this.#hearAll(entries, touched);
    if (news.type === "all") {
      // What only the disk remembered until now is the control plane's word: what was held back for that goes on.
      if (news.kept === undefined || !wasTold) touched.everything();
      return entries !== news.entries;
    }
    for (const entry of news.entries) this.#put(entry, touched);
    for (const { kind, id } of news.removed) this.#take(kind, id, touched);
    return this.#settleUnlisted(entries, touched);
  }

  remember(entries: readonly NetworkEntry[], touched: Touched): void {
    this.#hearAll(entries, touched);
    touched.everything();
  }

  /** A node was lost, or found again: its endpoints are no place to send to, or are one again. */
  setLost(node: string, isLost: boolean, touched: Touched): void {
    if (this.lostNodes.has(node) === isLost) return;
    if (isLost) this.lostNodes.add(node);
    else this.lostNodes.delete(node);
    for (const id of this.servicesOnNode(node)) touched.services.add(id);
    touched.nodes.add(node);
  }

  #hearAll(entries: readonly NetworkEntry[], touched: Touched): void {
    const told = new Set(entries.map(({ kind, id }) => `${kind} ${id}`));
    this.#takeUntold((kind, id) => told.has(`${kind} ${id}`), touched);
    for (const entry of entries) this.#put(entry, touched);
  }

  /** Those shelves are as they were. Of the others, what is listed as it was is no news either. */
  #hearRest(entries: readonly NetworkEntry[], kept: ReadonlySet<number>, touched: Touched): void {
    const told = new Set(entries.map(({ kind, id }) => `${kind} ${id}`));
    this.#takeUntold((kind, id) => told.has(`${kind} ${id}`) || kept.has(shelfOf(kind, id)), touched);
    for (const entry of entries) {
      const before = this.tables[entry.kind].get(entry.id);
      if (JSON.stringify(before) !== JSON.stringify(entry)) this.#put(entry, touched);
    }
  }

  #takeUntold(isTold: (kind: NetworkEntryKind, id: string) => boolean, touched: Touched): void {
    for (const [kind, table] of Object.entries(this.tables) as [NetworkEntryKind, Map<string, NetworkEntry>][])
      for (const id of [...table.keys()]) if (!isTold(kind, id)) this.#take(kind, id, touched);
  }

  /** Of what stayed, what is known by now, or is to stay no longer. */
  #settleUnlisted(entries: readonly NetworkEntry[], touched: Touched): boolean {
    if (this.#unlisted.size === 0) return false;
    const { put, gone } = settleUnlisted(this.tables, this.#unlisted, entries);
    for (const { kind, id } of gone) this.#take(kind, id, touched);
    for (const entry of put) this.#put(entry, touched);
    return put.length + gone.length > 0;
  }

  #put(entry: NetworkEntry, touched: Touched): void {
    if (entry.unlisted === undefined) this.#unlisted.delete(`${entry.kind} ${entry.id}`);
    else this.#unlisted.add(`${entry.kind} ${entry.id}`);
    const table = this.tables[entry.kind] as Map<string, NetworkEntry>;
    this.#unlink(table.get(entry.id), touched);
    table.set(entry.id, entry);
    this.#link(entry, touched);
  }

  #take(kind: NetworkEntryKind, id: string, touched: Touched): void {
    const table = this.tables[kind] as Map<string, NetworkEntry>;
    const entry = table.get(id);
    if (entry === undefined) return;
    this.#unlisted.delete(`${kind} ${id}`);
    this.#unlink(entry, touched);
    table.delete(id);
    touched.note(entry);
    if (kind === "node") this.lostNodes.delete(id);
  }

  #link(entry: NetworkEntry, touched: Touched): void {
    touched.note(entry);
    if (entry.kind === "endpoints") {
      addTo(this.#slices, entry.service, entry.id);
      this.#countAll(entry, 1);
    } else if (entry.kind === "peers") addTo(this.#groups, entry.group, entry.id);
    else if (entry.kind === "node" && entry.isSilent !== true) this.setLost(entry.id, false, touched);
  }

  #unlink(entry: NetworkEntry | undefined, touched: Touched): void {
    if (entry?.kind === "endpoints") {
      takeFrom(this.#slices, entry.service, entry.id);
      touched.services.add(entry.service);
      this.#countAll(entry, -1);
    } else if (entry?.kind === "peers") {
      takeFrom(this.#groups, entry.group, entry.id);
      touched.groups.add(entry.group);
    }
  }

  #countAll({ service, endpoints }: EndpointsEntry, by: number): void {
    for (const { node, uid, state } of endpoints) {
      if (node !== undefined) this.#count(node, service, by);
      if (node === this.nodeName && uid !== undefined && state === "ready") {
        const count = (this.#readyHere.get(uid) ?? 0) + by;
        if (count > 0) this.#readyHere.set(uid, count);
        else if (this.#readyHere.delete(uid)) this.#leftHere.add(uid);
      }
    }
  }

  #count(node: string, service: string, by: number): void {
    const counts = this.#servicesOnNode.get(node) ?? new Map<string, number>();
    const count = (counts.get(service) ?? 0) + by;
    if (count > 0) counts.set(service, count);
    else counts.delete(service);
    if (counts.size > 0) this.#servicesOnNode.set(node, counts);
    else this.#servicesOnNode.delete(node);
  }
}

function addTo(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key) ?? new Set<string>();
  index.set(key, ids.add(id));
}

function takeFrom(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}
