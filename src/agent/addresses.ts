/** Who gives pods their addresses on this node (src/network). Local: a start waits only while nobody has said which are this node's. */
export interface Addresses {
  /** The pod's address: the one it has, else `wanted` if that is free, else a free one. Throws when there is none. */
  assign(podUid: string, wanted?: string): string;
  release(podUid: string): void;
  /** Calls `ready` once a pod that has none would be given one, also at once. Returns what takes that back. Absent: always so. */
  whenReady?(ready: () => void): () => void;
}
