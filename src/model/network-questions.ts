/** What an agent is asked of its host's network, and what it answers: `styr network status` and `styr network trace`. */
import type { Protocol } from "./network.ts";
import type { PeerLink } from "./network-report.ts";
import type { PeerSummary } from "./peer-summary.ts";
import type { PodSpec } from "./pod.ts";

export type NetworkQuestion =
  /** `isBrief`: of its peers those that are worth a word, and how many there are. */
  | { readonly ask: "status"; readonly isBrief?: true }
  /** What becomes of a connection that leaves this node: name, service address, policy of what goes out, route. */
  | { readonly ask: "leave"; readonly from: TraceEnd; readonly to: TraceTarget }
  /** What becomes of one that arrives here: policy of what comes in, whether anything listens, the way back. */
  | { readonly ask: "arrive"; readonly from: TraceEnd; readonly to: TraceTarget };

/** Of a pod's object what decides where it asks for names, and below which it looks for short ones (network/names/pod-dns.ts). */
export interface NameAsker {
  readonly metadata: {
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Pick<PodSpec, "dnsPolicy" | "dnsConfig" | "hostNetwork" | "subdomain">;
}

/** One end of a traced connection. A node when no pod is named. */
export interface TraceEnd {
  readonly node: string;
  readonly address?: string;
  /** `namespace/name` and uid. */
  readonly pod?: string;
  readonly uid?: string;
  /** Absent: names are asked for as the host does, or, where a pod is named, as one of its namespace. */
  readonly asker?: NameAsker;
}

export interface TraceTarget {
  /** To be looked up by the node where the connection begins, as FROM would. */
  readonly name?: string;
  /** A Service is meant, by whichever of its names it is found. */
  readonly isService?: true;
  readonly address?: string;
  readonly port?: number;
  readonly protocol: Protocol;
  /** Of a headless Service, by its id: the port of this name, whatever number each pod has under it (SRV). */
  readonly portName?: { readonly service: string; readonly port: string };
}

/** A step of a connection's way. */
export interface TraceHop {
  readonly at: string;
  /** What is looked at: `name`, `policy out`, `service`, `firewall`, `connections`, `route`, `size`, `policy in`, `listens`, `way back`. */
  readonly what: string;
  /** Absent: nobody can say. */
  readonly isOk?: boolean;
  readonly words: string;
  /** What to do about it. */
  readonly advice?: string;
  /** Of whose things it speaks: not for those who may not see this namespace. */
  readonly namespace?: string;
}

/** A place where the connection may end. */
export interface TraceWay {
  readonly address: string;
  readonly port?: number;
  /** The node that the address is of, as far as this one knows. */
  readonly node?: string;
  readonly pod?: string;
  readonly uid?: string;
  /** From where it comes there; absent: FROM's own address. */
  readonly source?: string;
  /** A port of another node's own: that node says where it goes on. */
  readonly isNodePort?: true;
}

export interface LeaveAnswer {
  readonly hops: readonly TraceHop[];
  /** Where it goes on; none: it stops here. More than one: a Service chooses. */
  readonly ways: readonly { readonly to: TraceWay; readonly hops: readonly TraceHop[] }[];
}

export interface ArriveAnswer {
  readonly hops: readonly TraceHop[];
}

export interface NetworkPartRow {
  readonly name: string;
  readonly state: "working" | "failing" | "off";
  readonly words?: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  /** Of the way in: hosts whose certificate is not to be had there, and why. */
  readonly hostTroubles?: Readonly<Record<string, string>>;
  /** Of the way in: hosts with routes that are not served there, and why. */
  readonly lateHosts?: Readonly<Record<string, string>>;
  /** Of the way in: routes (routeKey) of which some server is none, and why. */
  readonly routeTroubles?: Readonly<Record<string, string>>;
}

export interface NetworkStatusAnswer {
  readonly podRange?: string;
  /** What was heard of the cluster's network, and what of it is in force. */
  readonly revision: number;
  readonly appliedRevision: number;
  readonly parts: readonly NetworkPartRow[];
  readonly peers: readonly PeerLink[];
  /** There where `peers` are not all. */
  readonly summary?: PeerSummary;
}

export type NetworkAnswer = NetworkStatusAnswer | LeaveAnswer | ArriveAnswer;

/** `styr network status`: every node, whether it answers or not. */
export interface NetworkReport {
  readonly nodes: readonly NetworkNodeRow[];
  /** Services of which nodes are not told all: their namespace has too many endpoints. */
  readonly leftOut?: readonly ServiceLeftOut[];
}

export interface ServiceLeftOut {
  readonly namespace: string;
  readonly service: string;
  readonly words: string;
}

export interface NetworkNodeRow {
  readonly node: string;
  readonly address?: string;
  readonly podRange?: string;
  /** Why nothing is known of it. */
  readonly trouble?: string;
  /** Why pods get no network there, whatever its parts say. */
  readonly noPodNetwork?: string;
  readonly answer?: NetworkStatusAnswer;
}

/** `styr network trace`. */
export interface TraceReport {
  readonly from: string;
  readonly to: string;
  readonly hops: readonly TraceHop[];
  readonly ways: readonly { readonly to: TraceWay; readonly hops: readonly TraceHop[] }[];
  /** Whether it gets through, by some way at least. */
  readonly isOpen: boolean;
  readonly summary: string;
}
