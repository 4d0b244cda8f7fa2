import type { NetworkEntry } from "../../model/network.ts";

/** What has changed since a part of the plane looked last. Gathered while a part is at work, so that it looks once at what changed twice. */
export class Touched {
  /** Everything is to be looked at: at the start, and after a gap. */
  isAll = false;
  isCluster = false;
  readonly nodes = new Set<string>();
  /** Ids of services that changed, or whose endpoints did. */
  readonly services = new Set<string>();
  readonly names = new Set<string>();
  readonly policies = new Set<string>();
  /** Groups of peers. */
  readonly groups = new Set<string>();
  readonly routes = new Set<string>();
  readonly challenges = new Set<string>();
  /** Uids of pods of this node that came or went. */
  readonly localPods = new Set<string>();

  get isEmpty(): boolean {
    const sets = this.#sets();
    return !this.isAll && !this.isCluster && sets.every(({ size }) => size === 0);
  }

  everything(): void {
    this.isAll = true;
  }

  note(entry: NetworkEntry): void {
    switch (entry.kind) {
      case "cluster":
        this.isCluster = true;
        break;
      case "node":
        this.nodes.add(entry.id);
        break;
      case "service":
        this.services.add(entry.id);
        break;
      case "endpoints":
        this.services.add(entry.service);
        break;
      case "names":
        this.names.add(entry.id);
        break;
      case "policy":
        this.policies.add(entry.id);
        break;
      case "peers":
        this.groups.add(entry.group);
        break;
      case "route":
        this.routes.add(entry.id);
        break;
      case "challenge":
        this.challenges.add(entry.id);
        break;
    }
  }

  /** After a failure: what was to be looked at still is. */
  add(other: Touched): void {
    this.isAll ||= other.isAll;
    this.isCluster ||= other.isCluster;
    const [mine, theirs] = [this.#sets(), other.#sets()];
    for (const [at, set] of theirs.entries()) for (const id of set) mine[at]?.add(id);
  }

  #sets(): readonly Set<string>[] {
    const { nodes, services, names, policies, groups, routes, challenges, localPods } = this;
    return [nodes, services, names, policies, groups, routes, challenges, localPods];
  }
}
