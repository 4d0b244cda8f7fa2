/** What a dialect says to those who look for what it runs: names of its pods, ports on every node, routes from outside. */
import type { Kind, StoredObject } from "./meta.ts";
import type { NameRecord, Protocol, RouteEntry } from "./network.ts";
import type { Pod } from "./pod.ts";
import type { WorkloadReader } from "./workload.ts";

export interface PodDiscovery {
  /** Records that stand while the pod is ready and not on its way out. */
  readonly records: readonly NameRecord[];
  /** Services that the pod is an endpoint of. Pods that name the same id are endpoints of the same one. */
  readonly services: readonly DiscoveredEndpoint[];
}

export interface DiscoveredEndpoint {
  /** Of a PublishedService: `marathon:/prod/web`. */
  readonly id: string;
  readonly ports: readonly {
    /** Of the service's port (PublishedService). */
    readonly id: string;
    readonly protocol: Protocol;
    /** Where this pod answers. */
    readonly address: string;
    readonly port: number;
  }[];
}

/** Pure. Undefined: nobody is told of this pod. Called again when the pod changes. */
export type DiscoverPod = (pod: Pod) => PodDiscovery | undefined;

/** What is asked for by the object that pods are copies of: it stands as long as the object does, whether a copy is there or not. */
export interface Publication {
  readonly services: readonly PublishedService[];
  readonly routes: readonly Omit<RouteEntry, "kind">[];
}

export interface PublishedService {
  /** `marathon:/prod/web`. */
  readonly id: string;
  /** What its user calls it: `/prod/web`. */
  readonly name: string;
  readonly ports: readonly {
    /** By it and its protocol pods of every version say where they answer: names may differ between them. */
    readonly id: string;
    /** For people. */
    readonly name: string;
    readonly protocol: Protocol;
    /** Opened on every node. */
    readonly servicePort: number;
  }[];
  readonly affinitySeconds?: number;
  /** RFC 3339, when the object was made: of those that want one port the oldest has it. Absent: it gives way to everybody. */
  readonly since?: string;
}

/** Of a publisher's kind: objects that ask for a port of every node (`TCP/10001`). */
export const SERVICE_PORT_INDEX = "servicePort";

/** A kind of a dialect's own whose objects ask for ports on every node and for routes; it keeps SERVICE_PORT_INDEX. */
export interface Publisher<T extends StoredObject = StoredObject> {
  readonly kind: Kind<T>;
  /** Pure. Called again when the object changes. A method, so that a Publisher of apps is a Publisher. */
  tell(object: T): Publication;
}

/** All routes that objects of such kinds ask for. */
export function publishedRoutes(publishers: readonly Publisher[], reader: WorkloadReader): readonly RouteEntry[] {
  return publishers.flatMap((publisher) =>
    reader
      .list(publisher.kind)
      .flatMap((object) => publisher.tell(object).routes.map((route) => ({ kind: "route", ...route }) as const)),
  );
}
