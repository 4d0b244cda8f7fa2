/** What a dialect says of one of its pods to those who look for it: names, ports on every node, routes from outside. */
import type { Kind, StoredObject } from "./meta.ts";
import type { NameRecord, Protocol, RouteEntry } from "./network.ts";
import type { Pod } from "./pod.ts";

export interface PodDiscovery {
  /** Records that stand while the pod is ready and not on its way out. */
  readonly records: readonly NameRecord[];
  /** Services that the pod is an endpoint of. Pods that name the same id are endpoints of the same one. */
  readonly services: readonly DiscoveredService[];
  /** Told by any pod of the service; the same from all of them. */
  readonly routes: readonly Omit<RouteEntry, "kind">[];
}

export interface DiscoveredService {
  /** `marathon:/prod/web`. */
  readonly id: string;
  readonly ports: readonly {
    readonly name: string;
    readonly protocol: Protocol;
    /** Opened on every node; absent: only routes use it. */
    readonly servicePort?: number;
    /** Where this pod answers. */
    readonly address: string;
    readonly port: number;
  }[];
  readonly affinitySeconds?: number;
  /** RFC 3339, when what the pods are copies of was made. */
  readonly since?: string;
}

/** Pure. Undefined: nobody is told of this pod. Called again when the pod changes. */
export type DiscoverPod = (pod: Pod, objects: ObjectReader) => PodDiscovery | undefined;

export interface ObjectReader {
  get<T extends StoredObject>(kind: Kind<T>, key: string): T | undefined;
}
