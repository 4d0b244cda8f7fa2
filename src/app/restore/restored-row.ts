import { joinTokens } from "../../model/join-token.ts";
import { type Node, nodes } from "../../model/node.ts";
import { nodeDrains } from "../../model/node-drain.ts";
import { rebalances } from "../../model/rebalance.ts";
import { restorations } from "../../model/restoration.ts";
import { servers } from "../../model/server.ts";
import type { ArchiveRow } from "../../store/archive/archive-format.ts";

/**
 * What is not taken from a backup: servers, which say themselves that they are there; moves that were under way, as they
 * would go on from where things are no longer; join tokens, one of which may have been used since; earlier restorations.
 */
const LEFT_OUT: readonly string[] = [servers, nodeDrains, rebalances, joinTokens, restorations].map(({ name }) => name);

/** As it is to be restored; undefined when it is left out. */
export function restoredRow({ kind, json }: ArchiveRow): string | undefined {
  if (LEFT_OUT.includes(kind)) return undefined;
  if (kind !== nodes.name || !json.includes('"unlisted":')) return json;
  const node = JSON.parse(json) as Node;
  const { unlisted: _said, ...status } = node.status;
  return JSON.stringify({ ...node, status });
}
