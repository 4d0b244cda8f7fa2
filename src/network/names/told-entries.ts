/** What a server of names was told, so that it is told again only what differs. */
import { isDeepStrictEqual } from "node:util";
import type { NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";
import type { NamedEntry } from "./zones/zones.ts";

export interface NamesDifference {
  readonly entries: readonly NamedEntry[];
  readonly removed: readonly { readonly kind: NamedEntry["kind"]; readonly id: string }[];
}

const KINDS = ["cluster", "node", "service", "endpoints", "names"] as const;

export class ToldEntries {
  readonly #told = new Map<string, NamedEntry>();
  /** Service → ids of its endpoints' entries that were told. */
  readonly #slices = new Map<string, Set<string>>();

  /** Everything, as if nothing had been told. */
  all(state: NetworkState): readonly NamedEntry[] {
    this.#told.clear();
    this.#slices.clear();
    const entries = KINDS.flatMap((kind): NamedEntry[] => [...state.tables[kind].values()]);
    for (const entry of entries) this.#note(entry);
    return entries;
  }

  difference(state: NetworkState, touched: Touched): NamesDifference {
    const entries: NamedEntry[] = [];
    const removed: { kind: NamedEntry["kind"]; id: string }[] = [];
    const look = (kind: NamedEntry["kind"], id: string) => {
      const now = state.tables[kind].get(id);
      const before = this.#told.get(`${kind} ${id}`);
      if (now === before) return;
      if (now && touched.isAll && isDeepStrictEqual(now, before)) {
        // The next time it is the same object, and not compared.
        this.#told.set(`${kind} ${id}`, now);
        return;
      }
      if (before) this.#forget(before);
      if (now) entries.push(this.#note(now));
      else removed.push({ kind, id });
    };
    // All was said again: at a new leader or after a gap, when little has changed. A server that is told all anew answers nobody meanwhile.
    if (touched.isAll) {
      for (const { kind, id } of [...this.#told.values()]) if (!state.tables[kind].has(id)) look(kind, id);
      for (const kind of KINDS) for (const id of state.tables[kind].keys()) look(kind, id);
      return { entries, removed };
    }
    if (touched.isCluster) look("cluster", "cluster");
    for (const id of touched.nodes) look("node", id);
    for (const id of touched.names) look("names", id);
    for (const id of touched.services) {
      look("service", id);
      const slices = new Set([...(this.#slices.get(id) ?? []), ...state.endpointsOf(id).map((slice) => slice.id)]);
      for (const slice of slices) look("endpoints", slice);
    }
    return { entries, removed };
  }

  #note(entry: NamedEntry): NamedEntry {
    this.#told.set(`${entry.kind} ${entry.id}`, entry);
    if (entry.kind === "endpoints")
      this.#slices.set(entry.service, (this.#slices.get(entry.service) ?? new Set()).add(entry.id));
    return entry;
  }

  #forget(entry: NamedEntry): void {
    this.#told.delete(`${entry.kind} ${entry.id}`);
    if (entry.kind !== "endpoints") return;
    const slices = this.#slices.get(entry.service);
    slices?.delete(entry.id);
    if (slices?.size === 0) this.#slices.delete(entry.service);
  }
}
