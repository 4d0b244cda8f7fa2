import type { Clock, Timer } from "../seams/clock.ts";
import type { EntryId, EntryTable } from "./entry-table.ts";

export interface SnapshotView {
  /** JSON of entries, comma between them, in parts that fit into frames; never none. */
  readonly parts: readonly string[];
  /** What changed since these were made, by key: to be told after them. */
  readonly changed: ReadonlyMap<string, EntryId>;
  /** What is known by who has heard both. */
  readonly revision: number;
}

interface Snapshot {
  readonly parts: readonly string[];
  readonly changed: Map<string, EntryId>;
}

export const PART_CHARS = 64 * 1024;
/** With more changes than this behind it, a new one is made. */
const MOST_CHANGED = 512;
/** Nobody asked for one for so long: it need not lie there. */
const KEEP_MS = 10_000;

/** Everything at a time, made once for the many nodes that come back after their control plane was away. */
export class Snapshots {
  readonly #table: EntryTable;
  readonly #clock: Clock;
  #snapshot: Snapshot | undefined;
  #timer: Timer | undefined;

  constructor(table: EntryTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  view(revision: number): SnapshotView {
    this.#snapshot ??= { parts: partsOf(this.#table), changed: new Map() };
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(KEEP_MS, () => this.drop());
    const { parts, changed } = this.#snapshot;
    return { parts, changed, revision };
  }

  note(batch: ReadonlyMap<string, EntryId>): void {
    const changed = this.#snapshot?.changed;
    if (changed === undefined) return;
    for (const [key, id] of batch) changed.set(key, id);
    if (changed.size > MOST_CHANGED) this.drop();
  }

  drop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#snapshot = undefined;
  }
}

function partsOf(table: EntryTable): readonly string[] {
  const parts: string[] = [];
  let texts: string[] = [];
  let chars = 0;
  for (const { text } of table.values()) {
    if (texts.length > 0 && chars + text.length > PART_CHARS) {
      parts.push(texts.join(","));
      texts = [];
      chars = 0;
    }
    texts.push(text);
    chars += text.length + 1;
  }
  parts.push(texts.join(","));
  return parts;
}
