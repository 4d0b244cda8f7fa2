import type { LinkMode } from "./network.ts";

/** What a node says of its own network, in its status. */
export interface NodeNetworkReport {
  /** Its public key, where its kernel has WireGuard. */
  readonly wireguardKey?: string;
  /** HTTP and HTTPS from outside come in here. */
  readonly isWayIn?: true;
  /** At these ports, if it is one; absent: 80 and 443. */
  readonly wayInPorts?: readonly number[];
  /** Other nodes can ask whether it passes on what is for its pods. */
  readonly echoes?: true;
}

/** How one node reaches the pods of another: a cell of the matrix of `styr network status`. */
export interface PeerLink {
  readonly node: string;
  /** "none": it has no pod range, or no way leads there; `words` say why. */
  readonly mode: LinkMode | "none";
  /** The largest packet that passes, in bytes. */
  readonly mtu?: number;
  /** "unknown": not probed yet. */
  readonly state: "reachable" | "unreachable" | "unknown";
  /** Of the last probe, over the pod network. */
  readonly rttMs?: number;
  /** How long ago that was: of many nodes, some are asked in each round. */
  readonly ageMs?: number;
  readonly words?: string;
  /** Of the probes of some minutes; absent: as few as a healthy link may lose. */
  readonly loss?: LostProbes;
  /** Asked when somebody looks, of some: packets as large as `mtu` get lost. */
  readonly tooLarge?: TooLarge;
}

/** A link that loses some packets answers the last probe more often than not. */
export interface LostProbes {
  readonly lost: number;
  readonly of: number;
}

/** On the way to another node, or back, and nobody is told. */
export interface TooLarge {
  /** Packets of so many get lost, */
  readonly bytes: number;
  /** those of so many come through. */
  readonly passing: number;
}

/** A fact of the part "names": whom the host itself asks, which knows no names of the cluster. */
export const HOST_ASKS = "host asks";
