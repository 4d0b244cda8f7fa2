/** What the brake of a control plane before this one held, as the nodes' objects have it. Pure. */
import type { Node } from "../../model/node.ts";
import type { Lease } from "./lease.ts";
import { heldSinceMs } from "./node-marks.ts";
import { isReleased } from "./node-notes.ts";
import { byZone, type Silence } from "./silence.ts";

export interface RestoredHold {
  readonly now: readonly Silence[];
  readonly held: ReadonlySet<string>;
  /** Given up by a person. */
  readonly gone: ReadonlySet<string>;
  /** Wall time. */
  readonly sinceMs: number;
}

/** Undefined: it held nobody. Who was lost outside of it counts neither here nor there. */
export function restoredHold(stored: Iterable<Node>, leases: readonly Lease[]): RestoredHold | undefined {
  const since = new Map<string, number>();
  for (const node of stored) {
    const sinceMs = heldSinceMs(node);
    if (sinceMs !== undefined && !isReleased(node)) since.set(node.metadata.name, sinceMs);
  }
  if (since.size === 0) return undefined;
  const gone = new Set(leases.filter(({ released }) => released).map(({ node }) => node));
  const isQuiet = ({ node }: Lease) => since.has(node) || gone.has(node);
  const counted = leases.filter((lease) => lease.hasLived && (!lease.loss || isQuiet(lease)));
  const sinceMs = Math.min(...since.values());
  return { now: byZone(counted, isQuiet), held: new Set(since.keys()), gone, sinceMs };
}
