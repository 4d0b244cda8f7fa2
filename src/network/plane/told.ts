import { overlaps, parseSubnet, type Subnet } from "../../lib/subnet.ts";
import type { EndpointEntry, NetworkEntry, NetworkEntryKind } from "../../model/network.ts";
import { shelfOf } from "../../model/network-shelves.ts";
import type { NetworkTables } from "./network-tables.ts";

type EntryId = { readonly kind: NetworkEntryKind; readonly id: string };

/** What a control plane that was restored from a backup tells: what is not in it, it does not know. */
export class Told {
  readonly #entries = new Map<string, NetworkEntry>();
  readonly #kept: ReadonlySet<number> | undefined;
  /** Service → its endpoints. */
  readonly #endpoints = new Map<string, Set<string>>();
  readonly #groups = new Set<string>();
  readonly #ranges: Subnet[] = [];
  readonly #addresses = new Set<string>();

  /** `kept`: shelves of the tables that are told by that. */
  constructor(tables: NetworkTables, entries: readonly NetworkEntry[], kept: ReadonlySet<number> | undefined) {
    this.#kept = kept;
    for (const entry of entries) {
      this.#entries.set(keyOf(entry), entry);
      this.#note(entry);
    }
    if (kept === undefined) return;
    for (const table of [tables.endpoints, tables.peers, tables.node, tables.service])
      for (const entry of table.values()) if (kept.has(shelfOf(entry.kind, entry.id))) this.#note(entry);
  }

  has({ kind, id }: EntryId): boolean {
    return this.#entries.has(keyOf({ kind, id })) || this.#kept?.has(shelfOf(kind, id)) === true;
  }

  /** Undefined also for what is on a shelf that is as it was. */
  get(entry: EntryId): NetworkEntry | undefined {
    return this.#entries.get(keyOf(entry));
  }

  leadsTo(service: string, endpoint: EndpointEntry): boolean {
    return this.#endpoints.get(service)?.has(nameOf(endpoint)) === true;
  }

  knowsGroup(group: string): boolean {
    return this.#groups.has(group);
  }

  /** Somebody else has its addresses by now. */
  clashes(entry: NetworkEntry): boolean {
    if (entry.kind === "service") return entry.addresses.some((address) => this.#addresses.has(address));
    const range = entry.kind === "node" ? parseSubnet(entry.podRange ?? "") : undefined;
    return range !== undefined && this.#ranges.some((other) => overlaps(range, other));
  }

  #note(entry: NetworkEntry): void {
    if (entry.kind === "peers") this.#groups.add(entry.group);
    else if (entry.kind === "service") for (const address of entry.addresses) this.#addresses.add(address);
    else if (entry.kind === "node") this.#ranges.push(...[parseSubnet(entry.podRange ?? "") ?? []].flat());
    else if (entry.kind === "endpoints") {
      const known = this.#endpoints.get(entry.service) ?? new Set<string>();
      for (const endpoint of entry.endpoints) known.add(nameOf(endpoint));
      this.#endpoints.set(entry.service, known);
    }
  }
}

function nameOf({ uid, address }: EndpointEntry): string {
  return uid ?? address;
}

function keyOf({ kind, id }: EntryId): string {
  return `${kind} ${id}`;
}
