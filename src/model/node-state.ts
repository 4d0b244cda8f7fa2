/** How nodes fare as their leases tell it: what src/controllers/node-lifecycle keeps, and the own API shows. */
import type { Pod } from "./pod.ts";

/**
 * ready: it beats. suspect: a few beats are missing; only shown. restarting: it said goodbye, and is waited for.
 * unreachable: silent for too long; its pods are replaced as each asks for. gone: so long that what was replaced is forgotten.
 */
export type NodeStateWord = "ready" | "suspect" | "restarting" | "unreachable" | "gone";

export interface NodeState {
  readonly state: NodeStateWord;
  readonly sinceMs: number;
  /** One sentence for people, without the node's name. */
  readonly words: string;
}

/** Too many nodes fell silent at once: nothing of theirs is moved. */
export interface BrakeState {
  readonly sinceMs: number;
  /** Of the whole cluster, or of these zones. */
  readonly zones: readonly string[] | "cluster";
  /** The nodes whose pods it holds, sorted. */
  readonly nodes: readonly string[];
  /** One sentence: how many of how many fell silent, and when. */
  readonly words: string;
}

/** What the own API asks of the lifecycle. */
export interface NodeStates {
  /** Undefined for a node that is not known. */
  stateOf(nodeName: string): NodeState | undefined;
  readonly brake: BrakeState | undefined;
  /** Pods marked for replacement since the start. */
  readonly moves?: { readonly done: number };
  /** Lets the brake go of these silent nodes, or of all; gives the names that it let go of. */
  releaseBrake(nodeNames: readonly string[] | undefined, by: string): readonly string[];
}

/** The reason of a pod's Ready condition while its node is unreachable. */
export const NODE_LOST = "NodeLost";

/** Nobody can say whether it runs: its node is unreachable. */
export function isOnLostNode(pod: Pod): boolean {
  return pod.status.conditions?.some(isOfLostNode) ?? false;
}

function isOfLostNode({ type, status, reason }: NonNullable<Pod["status"]["conditions"]>[number]): boolean {
  if (type === "Ready") return status !== "True" && reason === NODE_LOST;
  return type === "DisruptionTarget" && status === "True" && reason === "NodeUnreachable";
}
