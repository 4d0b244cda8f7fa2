import type { Labels } from "../model/label-selector.ts";
import { meansPod, type PeerGroup, placeOf } from "./peer-group.ts";

interface Known {
  readonly group: PeerGroup;
  /** Policies that name it, with the ports that they ask for by name. */
  readonly askedBy: Map<string, ReadonlySet<string>>;
}

/** Groups that some policy names, found from the side of a pod: only those are looked at that its namespace or one of its labels leads to. */
export class GroupIndex {
  readonly #groups = new Map<string, Known>();
  readonly #places = new Map<string, Set<string>>();

  get size(): number {
    return this.#groups.size;
  }

  get(id: string): PeerGroup | undefined {
    return this.#groups.get(id)?.group;
  }

  /** Whether the group was not there before, and whether other ports may be asked of it by name than before. */
  ask(group: PeerGroup, policy: string, ports: ReadonlySet<string>): { isNew: boolean; isOtherwise: boolean } {
    const known = this.#groups.get(group.id);
    if (known) {
      const before = known.askedBy.get(policy) ?? new Set();
      known.askedBy.set(policy, ports);
      return { isNew: false, isOtherwise: before.symmetricDifference(ports).size > 0 };
    }
    this.#groups.set(group.id, { group, askedBy: new Map([[policy, ports]]) });
    const key = placeKey(placeOf(group));
    const ids = this.#places.get(key) ?? new Set<string>();
    this.#places.set(key, ids.add(group.id));
    return { isNew: true, isOtherwise: false };
  }

  /** Whether nobody asks for it any more, and whether fewer ports may be asked of it by name than before. */
  leave(id: string, policy: string): { isGone: boolean; isOtherwise: boolean } {
    const known = this.#groups.get(id);
    const isOtherwise = (known?.askedBy.get(policy)?.size ?? 0) > 0;
    known?.askedBy.delete(policy);
    if (known === undefined || known.askedBy.size > 0) return { isGone: false, isOtherwise };
    this.#groups.delete(id);
    const key = placeKey(placeOf(known.group));
    const ids = this.#places.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#places.delete(key);
    return { isGone: true, isOtherwise };
  }

  /** Names of ports that some policy asks of it. */
  portsOf(id: string): ReadonlySet<string> {
    return new Set([...(this.#groups.get(id)?.askedBy.values() ?? [])].flatMap((names) => [...names]));
  }

  /** Ids of the groups that a pod is of. */
  groupsOf(namespace: string, namespaceLabels: Labels, labels: Labels): readonly string[] {
    const near = [undefined, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)];
    const found: string[] = [];
    for (const label of near)
      for (const within of [namespace, ""])
        for (const id of this.#places.get(placeKey({ namespace: within, label })) ?? [])
          if (this.#means(id, namespace, namespaceLabels, labels)) found.push(id);
    return found.sort();
  }

  #means(id: string, namespace: string, namespaceLabels: Labels, labels: Labels): boolean {
    const known = this.#groups.get(id);
    return known !== undefined && meansPod(known.group, namespace, namespaceLabels, labels);
  }
}

function placeKey({ namespace, label }: { readonly namespace: string; readonly label: string | undefined }): string {
  return JSON.stringify([namespace, label ?? null]);
}
