import { type Restoration, UNLISTED_KINDS, type UnlistedReport, type UnlistedThings } from "./restoration.ts";

/** For `styr restore status`. */
export interface RestorationReport {
  /** Null for a store that was never restored. */
  readonly restoration: Restoration["spec"] | null;
  /** While it is held: every node, by name. */
  readonly nodes: readonly RestoredNode[];
  /** What of the network is in force on nodes and not in the restored state; absent: nothing. */
  readonly network?: readonly UnlistedThings[];
}

export interface RestoredNode {
  readonly name: string;
  /** Absent: it has not said yet what runs there. */
  readonly unlisted?: UnlistedReport;
  /** From its address connections come, and end before their handshake does: it seems to believe another CA. */
  readonly isStranger?: true;
}

/** Of all nodes together, most of which say the same. */
export function unlistedOf(nodes: readonly RestoredNode[]): readonly UnlistedThings[] {
  const all = nodes.flatMap(({ unlisted }) => unlisted?.network ?? []);
  return UNLISTED_KINDS.flatMap((kind) => {
    const said = all.filter((one) => one.kind === kind);
    const names = [...new Set(said.flatMap((one) => one.names))].sort();
    const count = Math.max(names.length, ...said.map((one) => one.count));
    return count === 0 ? [] : [{ kind, count, names }];
  });
}

/** `3 Services, 1 NetworkPolicy`. */
export function thingsWords(things: readonly UnlistedThings[]): string {
  return things.map(({ kind, count }) => `${count} ${count === 1 ? kind : pluralOf(kind)}`).join(", ");
}

function pluralOf(kind: string): string {
  return kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}
