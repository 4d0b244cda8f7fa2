import type {
  ChallengeEntry,
  ClusterEntry,
  EndpointsEntry,
  NamesEntry,
  NodeEntry,
  PeersEntry,
  PolicyEntry,
  RouteEntry,
  ServiceEntry,
  Unlisted,
} from "../../model/network.ts";

type Table<Entry> = Map<string, Entry & { readonly unlisted?: Unlisted }>;

/** Entries by id, a table for each kind. */
export interface NetworkTables {
  readonly cluster: Table<ClusterEntry>;
  readonly node: Table<NodeEntry>;
  readonly service: Table<ServiceEntry>;
  readonly endpoints: Table<EndpointsEntry>;
  readonly names: Table<NamesEntry>;
  readonly policy: Table<PolicyEntry>;
  readonly peers: Table<PeersEntry>;
  readonly route: Table<RouteEntry>;
  readonly challenge: Table<ChallengeEntry>;
}
