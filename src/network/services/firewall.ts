/** A kind of firewall that Services can be written in: nftables, or iptables where that is missing. */
import type { Foreign } from "./foreign-ranges.ts";
import type { ServicePlan } from "./plan-service.ts";
import type { Difference, Piece, Programmed } from "./ruleset.ts";

/** What all Services of a node have in common. Ranges that this node was not told yet are absent. */
export interface BasePlan {
  /** Addresses of all pods of the cluster. */
  readonly podRange?: string;
  readonly serviceRange?: string;
  /** Addresses of this node's pods, and this host's own among them. */
  readonly ownRange?: string;
  readonly gateway?: string;
  /**
   * What one pod of the bridge sends to another passes the rules (bridge-nf-call-iptables). If it does not, answers to what was sent
   * to a service address would not find their way back, unless the client's address is hidden.
   */
  readonly isBridgeFiltered: boolean;
  /** What of the service range is not ours here. */
  readonly foreign: Foreign;
}

export interface Firewall {
  readonly name: "nftables" | "iptables";
  /**
   * The kernel forgets by itself to which endpoint it sent a first packet that nobody answered, before the client sends it again (after a
   * second, RFC 6298): then it chooses anew. Otherwise it remembers for two minutes, by the client's address and port.
   */
  readonly forgetsUnanswered: boolean;
  base(plan: BasePlan): Piece;
  service(plan: ServicePlan, base: BasePlan): Piece;
  /** What is in the kernel of ours. */
  read(): Promise<Programmed>;
  /** One transaction. */
  apply(difference: Difference): Promise<void>;
  /** A cheap look whether somebody took our rules away. */
  isIntact(): Promise<boolean>;
  /** Takes away what is ours, and nothing else. Idempotent. */
  remove(): Promise<void>;
}

/** Set on the first packet of a connection that may have to take this host's address, from where its target is chosen to where it leaves. */
export const MASQUERADE_MARK = "0x00080000";
