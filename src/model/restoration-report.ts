import type { Restoration, UnlistedReport } from "./restoration.ts";

/** For `styr restore status`. */
export interface RestorationReport {
  /** Null for a store that was never restored. */
  readonly restoration: Restoration["spec"] | null;
  /** While it is held: every node, by name. */
  readonly nodes: readonly RestoredNode[];
}

export interface RestoredNode {
  readonly name: string;
  /** Absent: it has not said yet what runs there. */
  readonly unlisted?: UnlistedReport;
  /** From its address connections come, and end before their handshake does: it seems to believe another CA. */
  readonly isStranger?: true;
}
