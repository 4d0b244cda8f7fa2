import { digestsOf, SHELVES } from "../model/network-shelves.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Audience } from "./entry-source.ts";
import type { ChangedId, EntryId, EntryTable } from "./entry-table.ts";
import type { Pack, Piece } from "./piece.ts";
import { type FrameForm, ShelfView } from "./shelf-view.ts";

export interface SnapshotView {
  /** Everything, or what is on the shelves that are others. */
  readonly parts: readonly Piece[];
  /** What changed since these were made, by key: to be told after them. */
  readonly changed: ReadonlyMap<string, EntryId>;
  /** What is known by who has heard both. */
  readonly revision: number;
  /** Shelves of which nothing is told, as whoever asked has all of them. */
  readonly kept?: ReadonlySet<number>;
}

interface Snapshot {
  readonly parts: readonly Piece[];
  readonly changed: Map<string, EntryId>;
}

/** With more changes than this behind it, a new one is made, of which only what changed is made anew. */
const MOST_CHANGED = 64;
/** Nobody asked for one for so long: it need not lie there. */
const KEEP_MS = 10_000;
/** Who has fewer shelves as they are is told everything, which lies ready for all. */
const LEAST_KEPT = SHELVES / 2;
const WARMED_AT_ONCE = 16;

/** Everything at a time, as one kind of node sees it, made once for the many nodes that come back after their control plane was away. */
export class Snapshots {
  readonly #table: EntryTable;
  readonly #clock: Clock;
  readonly #shelves: ShelfView;
  readonly #audience: Audience;
  readonly #snapshots = new Map<FrameForm, Snapshot>();
  #timer: Timer | undefined;
  #warming: Timer | undefined;

  #answered: { readonly has: string; readonly version: number; readonly kept: ReadonlySet<number> } | undefined;

  constructor(table: EntryTable, clock: Clock, audience: Audience, pack?: Pack) {
    this.#shelves = new ShelfView(table, audience, pack);
    this.#table = table;
    this.#clock = clock;
    this.#audience = audience;
  }

  /** `has`: digests of what whoever asks has already (model/network-shelves.ts). */
  view(revision: number, form: FrameForm, has?: string): SnapshotView {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(KEEP_MS, () => this.drop());
    return this.#rest(revision, form, has) ?? this.#whole(revision, form);
  }

  /** Makes digests before somebody asks for them, some in each turn of the event loop. */
  warm(first = 0): void {
    this.#warming?.cancel();
    this.#warming = undefined;
    const end = Math.min(SHELVES, first + WARMED_AT_ONCE);
    for (let shelf = first; shelf < end; shelf++) this.#shelves.digest(shelf);
    if (end < SHELVES) this.#warming = this.#clock.setTimer(0, () => this.warm(end));
  }

  stop(): void {
    this.#warming?.cancel();
    this.drop();
  }

  note(batch: ReadonlyMap<string, ChangedId>): void {
    for (const [form, { changed }] of this.#snapshots) {
      for (const [key, { kind, id, audience }] of batch)
        if (audience === "all" || audience === this.#audience) changed.set(key, { kind, id });
      if (changed.size > MOST_CHANGED) this.#snapshots.delete(form);
    }
  }

  drop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#snapshots.clear();
    this.#answered = undefined;
    this.#shelves.drop();
  }

  #whole(revision: number, form: FrameForm): SnapshotView {
    const snapshot = this.#snapshots.get(form) ?? { parts: this.#shelves.all(form), changed: new Map() };
    this.#snapshots.set(form, snapshot);
    return { ...snapshot, revision };
  }

  /** Those who missed the same say the same: what is to be told them is found out once. */
  #rest(revision: number, form: FrameForm, has: string | undefined): SnapshotView | undefined {
    if (has === undefined) return undefined;
    const { version } = this.#table;
    if (this.#answered?.has !== has || this.#answered.version !== version)
      this.#answered = { has, version, kept: this.#keptOf(has) };
    const { kept } = this.#answered;
    if (kept.size < LEAST_KEPT) return undefined;
    const others = Array.from({ length: SHELVES }, (_, shelf) => shelf).filter((shelf) => !kept.has(shelf));
    return { parts: this.#shelves.some(others, form), changed: new Map(), revision, kept };
  }

  #keptOf(has: string): ReadonlySet<number> {
    const kept = new Set<number>();
    for (const [shelf, digest] of (digestsOf(has) ?? []).entries())
      if (Buffer.compare(digest, this.#shelves.digest(shelf)) === 0) kept.add(shelf);
    return kept;
  }
}
