/**
 * What every node is told of the network of the whole cluster: small entries, each replaced whole, made once by the server
 * that leads (src/directory) and sent to all nodes alike. What a node does with them is in src/network.
 */
import type { LabelSelector } from "./constraint.ts";

/** How packets reach another node's pods. */
export type LinkMode = "routes" | "vxlan" | "wireguard";

/** What is the same for all: one entry, `cluster`. */
export interface ClusterEntry {
  readonly kind: "cluster";
  readonly id: "cluster";
  /** Nodes' pod ranges are parts of it, unless somebody gave a node another. */
  readonly podRange: string;
  /** Cluster addresses of Services. */
  readonly serviceRange: string;
  /** `cluster.local`. */
  readonly domain: string;
  /** "auto": routes where hosts share a link, VXLAN otherwise. */
  readonly mode: "auto" | LinkMode;
  /** UDP port of VXLAN; absent: 8472. */
  readonly vxlanPort?: number;
  /** The control plane was restored from a backup, which nobody has confirmed yet: what it does not know stays in force. */
  readonly isRestored?: true;
  /** Uid of that restoration. */
  readonly restoration?: string;
}

export interface NodeEntry {
  readonly kind: "node";
  /** Its name. */
  readonly id: string;
  /** Where other hosts reach it. */
  readonly address: string;
  /** Addresses of its pods; the first after the range's own is the host's. Absent: none was given to it yet. */
  readonly podRange?: string;
  /** Why none could be given to it, in words. */
  readonly rangeProblem?: string;
  readonly zone?: string;
  /** Its public key, where it can do WireGuard. */
  readonly wireguardKey?: string;
  /**
   * Nothing was heard of it for longer than a heartbeat takes: traffic has better places to go, if the node that sends it does not
   * reach it either. Never said of so many at once that the fault must be ours.
   */
  readonly isSilent?: true;
  /** HTTP and HTTPS from outside come in here. */
  readonly isWayIn?: true;
  /** At these ports, HTTP's and HTTPS's; absent: DEFAULT_WAY_IN_PORTS. */
  readonly wayInPorts?: readonly number[];
  /** Packets for its pods that it passes on can be asked about (network/pod-network/passages.ts). */
  readonly echoes?: true;
}

export const DEFAULT_WAY_IN_PORTS: readonly number[] = [80, 443];

export type Protocol = "tcp" | "udp" | "sctp";

export interface ServicePortEntry {
  /** "" when the Service has one port without a name. */
  readonly name: string;
  readonly protocol: Protocol;
  /** At the cluster addresses. */
  readonly port: number;
  /** At every node's own addresses: Kubernetes' nodePort, Marathon's servicePort. */
  readonly nodePort?: number;
}

/** A Service, of Kubernetes or as another dialect's pods make it. Where its traffic goes stands in EndpointsEntry. */
export interface ServiceEntry {
  readonly kind: "service";
  /** `namespace/name` of a Kubernetes Service; `dialect:…` of what other dialects' pods make, which has no cluster address. */
  readonly id: string;
  /** Names after Kubernetes' rules; absent for those of other dialects, whose names stand in NamesEntry. */
  readonly namespace?: string;
  readonly name?: string;
  /** Cluster addresses; none for a headless Service. */
  readonly addresses: readonly string[];
  /** Another name for which this one stands (ExternalName). */
  readonly externalName?: string;
  readonly ports: readonly ServicePortEntry[];
  /** The same client goes to the same endpoint until it was silent for so long. */
  readonly affinitySeconds?: number;
  /** "local": what comes from outside to this node goes to this node's endpoints only, and keeps the client's address. */
  readonly externalTraffic: "cluster" | "local";
  /** "local": what this node's own pods send goes to this node's endpoints only. */
  readonly internalTraffic: "cluster" | "local";
  /** Endpoints nearby before others, as long as there are any. */
  readonly prefer?: "same-node" | "same-zone";
  /** Endpoints are named and used whether they are ready or not. */
  readonly publishNotReady?: true;
  /** RFC 3339, when it was made; of those that want one port of the nodes the oldest has it. Absent where it wants none. */
  readonly since?: string;
}

export interface EndpointEntry {
  readonly address: string;
  /** "ready" takes connections; "draining" keeps those it has, and takes new ones only when no other is there; "waiting" is not ready. */
  readonly state: "ready" | "draining" | "waiting";
  readonly node?: string;
  readonly zone?: string;
  /** Its own name within a headless Service. */
  readonly hostname?: string;
  /** `namespace/name` and uid of the pod that it is. */
  readonly pod?: string;
  readonly uid?: string;
}

/** At most some hundred endpoints of one Service; a Service may have many such entries. */
export interface EndpointsEntry {
  readonly kind: "endpoints";
  readonly id: string;
  /** Id of the ServiceEntry. */
  readonly service: string;
  /** Every endpoint of the entry serves these; `name` is that of the Service's port. */
  readonly ports: readonly { readonly name: string; readonly protocol: Protocol; readonly port: number }[];
  readonly endpoints: readonly EndpointEntry[];
}

/** Names are in lower case, without the dot at the end. */
export type NameRecord =
  | { readonly type: "A"; readonly name: string; readonly address: string }
  | { readonly type: "SRV"; readonly name: string; readonly target: string; readonly port: number }
  | { readonly type: "CNAME"; readonly name: string; readonly target: string };

/** Names that are no Service's: of pods that are ready, after the rules of their dialects. Of one name, several entries may have records. */
export interface NamesEntry {
  readonly kind: "names";
  readonly id: string;
  readonly records: readonly NameRecord[];
}

/** A port of a NetworkPolicy: a number, a range, or the name of a port of the pod that listens. Absent `port`: all of the protocol. */
export interface PolicyPort {
  readonly protocol: Protocol;
  readonly port?: number | string;
  readonly endPort?: number;
}

/** Addresses of pods that a rule names (id of PeersEntry groups), or a range of addresses. */
export type PolicyPeer = { readonly peers: string } | { readonly cidr: string; readonly except: readonly string[] };

export interface PolicyRule {
  /** Absent: everybody. */
  readonly from?: readonly PolicyPeer[];
  /** Absent: every port. */
  readonly ports?: readonly PolicyPort[];
}

/** A NetworkPolicy. Which of its own pods it selects each node sees for itself, before it starts them. */
export interface PolicyEntry {
  readonly kind: "policy";
  /** `namespace/name`. */
  readonly id: string;
  readonly namespace: string;
  readonly podSelector: LabelSelector;
  /** Absent: says nothing of what comes in. Empty: nothing comes in. `from` is where it comes from. */
  readonly ingress?: readonly PolicyRule[];
  /** The same of what goes out. `from` is where it goes to. */
  readonly egress?: readonly PolicyRule[];
}

/** Those pods of one node that a rule of some policy means: the group's addresses are all entries' of the same `group` together. */
export interface PeersEntry {
  readonly kind: "peers";
  readonly id: string;
  readonly group: string;
  readonly addresses: readonly string[];
  /** Named ports of these pods, for rules that name one: name → address → number. */
  readonly named?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** HTTP from outside: host and path, and the Service that answers. */
export interface RouteEntry {
  readonly kind: "route";
  readonly id: string;
  /** `example.org`, `*.example.org`; "" for every host. */
  readonly host: string;
  /** Begins with "/". */
  readonly path: string;
  readonly pathType: "prefix" | "exact";
  /** A prefix that need not end with a whole part: how a pattern begins that is not done, and is closed. */
  readonly matchesLetters?: true;
  /** Id of the ServiceEntry, and the name or number of its port. */
  readonly service: string;
  readonly port: string | number;
  readonly tls?: RouteTls;
  /** Plain HTTP is sent to HTTPS. */
  readonly redirectsToHttps?: true;
  /** Of HAProxy's settings those that dialects have labels for. */
  readonly options?: RouteOptions;
  /** Whose it is, in words: `Ingress default/web`, `Marathon app /web`. */
  readonly source: string;
  /** What of its labels or annotations is not done, in words. */
  readonly remarks?: readonly string[];
  /** Those of them that would keep somebody out: with one of these it is not served (way-in/protection.ts). */
  readonly unguarded?: readonly string[];
  /** RFC 3339, when that one was made: of two for one host and path the older wins. */
  readonly since?: string;
  /** Whose the host is, if this route was there first. Absent: the namespace of its service. */
  readonly namespace?: string;
  /** Further namespaces that may have routes for the host, as its owner says; "*": all. */
  readonly sharesHostWith?: readonly string[];
  /** Put there by somebody with rights in the whole cluster: whose the host is does not matter. */
  readonly isGranted?: true;
}

export type RouteTls =
  /** A Secret with tls.crt and tls.key, `namespace/name`; `version` changes with its content. */
  | { readonly secret: string; readonly version: string }
  | { readonly acme: true }
  /** A file on the way-in nodes. */
  | { readonly file: string };

export interface RouteOptions {
  readonly balance?: "roundrobin" | "leastconn" | "source";
  readonly sticky?: true;
  readonly backendProtocol?: "http" | "https" | "h2c" | "tcp";
  readonly timeoutServerMs?: number;
  readonly maxConnections?: number;
  /** Users of basic authentication: `user:encrypted password`. */
  readonly auth?: { readonly realm?: string; readonly users: readonly string[] };
  /** Addresses and ranges that may ask, all others being refused; and those that may not. */
  readonly allowFrom?: readonly string[];
  readonly denyFrom?: readonly string[];
  /** The path that is put in place of the one that matched. */
  readonly rewritePath?: string;
  /** The beginning that is taken off paths which have it. */
  readonly stripPath?: string;
  readonly hsts?: true;
  /** Requests are passed on with this path's answers to `GET` deciding health, beside our own readiness. */
  readonly healthPath?: string;
}

/** The answer to an ACME challenge that is under way; every way-in node gives it. */
export interface ChallengeEntry {
  readonly kind: "challenge";
  /** The token. */
  readonly id: string;
  readonly answer: string;
}

/** On a node alone: an entry that a restored control plane does not know, in force until somebody confirms that one. */
export interface Unlisted {
  /** What it tells in its place, which does not count yet: of a policy that was changed since the backup. */
  readonly insteadOf?: PolicyEntry;
}

export type NetworkEntry = (
  | ClusterEntry
  | NodeEntry
  | ServiceEntry
  | EndpointsEntry
  | NamesEntry
  | PolicyEntry
  | PeersEntry
  | RouteEntry
  | ChallengeEntry
) & { readonly unlisted?: Unlisted };

export type NetworkEntryKind = NetworkEntry["kind"];

/** Revisions count up within one server's life; "all" begins anew, perhaps with another server's count. */
export type NetworkNews =
  | {
      readonly type: "all";
      readonly revision: number;
      readonly entries: readonly NetworkEntry[];
      /** Shelves (network-shelves.ts) of which nothing is listed here, as the node has said that it has them as they are. */
      readonly kept?: ReadonlySet<number>;
    }
  | {
      readonly type: "changed";
      readonly revision: number;
      readonly entries: readonly NetworkEntry[];
      readonly removed: readonly { readonly kind: NetworkEntryKind; readonly id: string }[];
    }
  /** Every node that is connected has brought its rules up to this revision. */
  | { readonly type: "settled"; readonly revision: number };
