/** The sources of what nodes are told, one per concern. */
import { challengesSource } from "./challenges.ts";
import { clusterSource } from "./cluster.ts";
import { type Discovery, discoveredSource } from "./discovered.ts";
import { endpointsSource, type LeftOutListener } from "./endpoints.ts";
import type { EntrySource } from "./entry-source.ts";
import { leaderNamesSource } from "./leader-names.ts";
import { nodesSource } from "./nodes.ts";
import { PeersSource } from "./peers.ts";
import { policiesSource } from "./policies.ts";
import { RoutesSource } from "./routes.ts";
import { serviceSource } from "./service.ts";

export interface SourcesOptions {
  /** Of the dialects whose pods are found by other names than those of Kubernetes' Services. */
  readonly discovery: Discovery;
  /** `host:port` of the server that leads, as others reach it. */
  readonly address?: string;
  /** Hears of Services that have more endpoints than nodes are told of. */
  readonly leftOut?: LeftOutListener;
}

/** Fresh ones, at every call. */
export function directorySources({ discovery, address, leftOut }: SourcesOptions): readonly EntrySource[] {
  return [
    clusterSource(),
    nodesSource(),
    serviceSource(),
    endpointsSource(leftOut),
    discoveredSource(discovery),
    policiesSource(),
    new PeersSource(),
    new RoutesSource(),
    challengesSource(),
    ...(address === undefined ? [] : [leaderNamesSource(address)]),
  ];
}
