/** Who gives pods their addresses on this node (src/network). Synchronous and local: no start waits for anybody. */
export interface Addresses {
  /** The pod's address: the one it has, else `wanted` if that is free, else a free one. Throws when there is none. */
  assign(podUid: string, wanted?: string): string;
  release(podUid: string): void;
}
