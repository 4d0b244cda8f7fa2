import type { EndpointEntry } from "../../model/network.ts";

/** From here on an endpoint takes nothing at all. */
export const NEVER = 4;

/** Who is asked first, 0 before all others: ready ones, then those on their way out; on nodes that were lost only where there is nobody else. */
export function endpointTier(
  { state, node }: Pick<EndpointEntry, "state" | "node">,
  takesWaiting: boolean,
  lostNodes: ReadonlySet<string>,
): number {
  const isLost = node !== undefined && lostNodes.has(node);
  const isWaiting = state === "waiting" && !takesWaiting;
  return (state === "draining" ? 1 : 0) + (isLost ? 2 : 0) + (isWaiting ? NEVER : 0);
}
