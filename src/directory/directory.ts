/**
 * What every node has to know of the network of the whole cluster, made from the store by the server that leads. Sources turn
 * what changed in the store into entries (entry-source.ts); entries that are others than before become a batch with a
 * revision of the directory's own, which every subscriber is told. An entry's text is made once, however many nodes there are.
 */
import type { Kind } from "../model/meta.ts";
import type { NetworkEntry } from "../model/network.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import { batchPieces } from "./batch-text.ts";
import type { Audience, EntrySource } from "./entry-source.ts";
import { type ChangedId, type EntryId, EntryTable, type Held } from "./entry-table.ts";
import { followStore } from "./follow-store.ts";
import type { Pack, Piece } from "./piece.ts";
import { Settlement } from "./settlement.ts";
import { type FrameForm, PLAIN } from "./shelf-view.ts";
import { Snapshots, type SnapshotView } from "./snapshots.ts";

export interface DirectoryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Fresh ones: they keep indexes of what they have seen. */
  readonly sources: () => readonly EntrySource[];
  /** For agents that can read it. Absent: all are sent plain text. */
  readonly pack?: Pack;
}

/** What changed between two revisions. */
export interface Batch {
  readonly revision: number;
  readonly changed: ReadonlyMap<string, ChangedId>;
  /** Nodes that have become ways in or have ceased to be: to them more changes, or goes. */
  readonly turned: ReadonlySet<string>;
  /** What the batch says to all, and to ways in, once somebody has asked for it. */
  readonly pieces: Map<Audience, readonly Piece[]>;
}

export interface Subscriber {
  readonly nodeName: string;
  /** What changed; by its key each entry is looked up when it is sent. */
  changed(batch: Batch): void;
  /** Every node that is connected has brought its rules up to this revision. */
  settled(revision: number): void;
}

export interface Subscription {
  /** Its node's rules are those of this revision. */
  applied(revision: number): void;
  end(): void;
}

/** Changes that come so soon after others are told together; longer where more nodes are to be told. */
const GATHER_MS = 4;
const GATHER_MS_PER_SUBSCRIBER = 0.02;

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #table = new EntryTable();
  readonly #subscribers = new Set<Subscriber>();
  readonly #snapshots: Readonly<Record<Audience, Snapshots>>;
  readonly #settlement: Settlement;
  readonly #stopping = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  #sources: readonly EntrySource[] = [];
  #revision = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: DirectoryOptions) {
    const { clock, pack } = options;
    this.#options = options;
    const seenBy = (audience: Audience) => new Snapshots(this.#table, clock, audience, pack);
    this.#snapshots = { all: seenBy("all"), "ways-in": seenBy("ways-in") };
    this.#settlement = new Settlement(clock, (revision) => {
      for (const subscriber of this.#subscribers) subscriber.settled(revision);
    });
  }

  /** Counts up with every batch. */
  get revision(): number {
    return this.#revision;
  }

  get settledRevision(): number {
    return this.#settlement.revision;
  }

  /** Resolves when everything has been read once: before, there is nothing to tell. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  get size(): number {
    return this.#table.size;
  }

  get(key: string): Held | undefined {
    return this.#table.get(key);
  }

  start(): void {
    const { store } = this.#options;
    const { signal } = this.#stopping;
    const kinds = kindsOf(this.#options.sources());
    const begin = () => this.#begin();
    const changed = (changes: readonly Change[]) => this.#changed(changes);
    void followStore({ store, kinds, begin, changed, signal });
  }

  stop(): void {
    this.#stopping.abort(new Error("the directory stops"));
    this.#timer?.cancel();
    this.#settlement.stop();
    for (const snapshots of Object.values(this.#snapshots)) snapshots.stop();
    this.#subscribers.clear();
  }

  /** Hears every batch from now on; what there is now stands in `snapshot`. */
  subscribe(subscriber: Subscriber): Subscription {
    this.#subscribers.add(subscriber);
    const seat = this.#settlement.join(subscriber.nodeName);
    return {
      applied: (revision) => this.#settlement.applied(seat, revision),
      end: () => {
        this.#subscribers.delete(subscriber);
        this.#settlement.leave(seat);
      },
    };
  }

  /** The same, for one node: nothing where it is not for that one. */
  heldFor(node: string, key: string): Held | undefined {
    const held = this.#table.get(key);
    return held?.audience === "ways-in" && !this.#table.isWayIn(node) ? undefined : held;
  }

  /** What a batch that has just been told says to a node, made once for all; undefined to one that has become a way in, or ceased to be: see `changedFor`. */
  piecesOf(batch: Batch, node: string): readonly Piece[] | undefined {
    if (batch.turned.has(node)) return undefined;
    const audience = this.#audienceOf(node);
    const known = batch.pieces.get(audience);
    if (known) return known;
    const textOf = (key: string) => this.heldFor(node, key)?.text;
    const pieces = batchPieces(this.changedFor(batch, node), textOf, this.#options.pack);
    batch.pieces.set(audience, pieces);
    return pieces;
  }

  /** What of a batch concerns a node, by key: how it is now says `heldFor`. */
  changedFor({ changed, turned }: Batch, node: string): ReadonlyMap<string, EntryId> {
    if (turned.has(node)) return new Map([...changed, ...this.#table.forWaysIn]);
    if (this.#table.isWayIn(node)) return changed;
    return new Map([...changed].filter(([, { audience }]) => audience === "all"));
  }

  /** Everything there is for a node, in parts that fit into frames. `has`: digests of what it has already (model/network-shelves.ts). */
  snapshot(node = "", form: FrameForm = PLAIN, has?: string): SnapshotView {
    // What was gathered and not told yet is in the table already.
    this.#tell();
    return this.#snapshots[this.#audienceOf(node)].view(this.#revision, this.#options.pack ? form : PLAIN, has);
  }

  /** The same for who is in this process. */
  everything(node: string): { readonly revision: number; readonly entries: readonly NetworkEntry[] } {
    this.#tell();
    const isWayIn = this.#table.isWayIn(node);
    const held = [...this.#table.values()].filter(({ audience }) => isWayIn || audience === "all");
    return { revision: this.#revision, entries: held.map(({ entry }) => entry) };
  }

  /** Nodes of which nothing is heard. The others do not wait for them. */
  setSilent(silent: ReadonlySet<string>): void {
    this.#settlement.setSilent(silent);
    this.#table.setSilent(silent);
    this.#tellSoon();
  }

  #audienceOf(node: string): Audience {
    return this.#table.isWayIn(node) ? "ways-in" : "all";
  }

  #begin(): void {
    this.#table.beginAnew();
    this.#sources = this.#options.sources();
    for (const source of this.#sources) this.#ask(source, () => source.begin(this.#options.store, this.#table));
    this.#table.endAnew();
    this.#snapshots.all.warm();
    this.#tellSoon();
    this.#begun.resolve();
  }

  #changed(changes: readonly Change[]): void {
    for (const source of this.#sources) {
      const names = source.kinds.map(({ name }) => name);
      const mine = changes.filter(({ kind }) => names.includes(kind.name));
      if (mine.length > 0) this.#tellSource(source, mine);
    }
    this.#tellSoon();
  }

  /** One object that a source does not understand must not hide the others. */
  #tellSource(source: EntrySource, changes: readonly Change[]): void {
    const { store } = this.#options;
    if (this.#ask(source, () => source.changed(changes, store, this.#table)) || changes.length === 1) return;
    for (const change of changes) this.#ask(source, () => source.changed([change], store, this.#table));
  }

  /** False when it met a bug of its own: the other sources go on. */
  #ask(source: EntrySource, fn: () => void): boolean {
    try {
      fn();
      return true;
    } catch (error) {
      const words = error instanceof Error ? error.stack : String(error);
      this.#options.log.error("what nodes are told of the network misses something", { of: source.name, error: words });
      return false;
    }
  }

  /** At once after a rest, so that one change is under way without delay. */
  #tellSoon(): void {
    if (!this.#table.hasChanged || this.#timer !== undefined) return;
    const { clock } = this.#options;
    const pauseMs = GATHER_MS + GATHER_MS_PER_SUBSCRIBER * this.#subscribers.size;
    const leftMs = this.#toldAtMs + pauseMs - clock.monotonic();
    if (leftMs <= 0) this.#tell();
    else {
      this.#timer = clock.setTimer(leftMs, () => {
        this.#timer = undefined;
        this.#tell();
      });
    }
  }

  #tell(): void {
    if (!this.#table.hasChanged) return;
    const batch: Batch = { revision: ++this.#revision, ...this.#table.take(), pieces: new Map() };
    this.#toldAtMs = this.#options.clock.monotonic();
    for (const snapshots of Object.values(this.#snapshots)) snapshots.note(batch.changed);
    this.#settlement.told(batch.revision);
    for (const subscriber of this.#subscribers) subscriber.changed(batch);
  }
}

function kindsOf(sources: readonly EntrySource[]): readonly Kind[] {
  return [...new Map(sources.flatMap(({ kinds }) => kinds).map((kind) => [kind.name, kind])).values()];
}
