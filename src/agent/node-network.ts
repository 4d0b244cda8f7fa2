import type { NodeNetworkReport } from "../model/network-report.ts";
import type { UnlistedThings } from "../model/restoration.ts";

/** This node's part of the cluster's network, as far as the control plane hears of it. */
export interface NodeNetwork {
  /** The pod range that it asks for; "" for any. */
  readonly wish: string;
  /** The range that its pods have addresses of now. */
  readonly range: string | undefined;
  readonly report: NodeNetworkReport;
  /** Why other nodes do not reach its pods, or it does not reach theirs, and what to do. */
  readonly trouble: string | undefined;
  /** A pod that comes gets no address here, for that trouble. */
  readonly isClosed: boolean;
  /** Parts of its network that fail, and why. */
  readonly failing: string | undefined;
  /** Other nodes that are reached now and then only, in words. */
  readonly unsteady?: string | undefined;
  /** Its engine cannot publish ports: `failing` says why. */
  readonly isUnpublished?: boolean;
  /** What is in force here and a restored control plane does not know. */
  readonly unlisted?: readonly UnlistedThings[];
  /** That, or whether pods get addresses, is different now: the control plane is to hear it at once. */
  watch?(changed: () => void): void;
}
