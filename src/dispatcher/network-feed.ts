import type { NetworkWish } from "../agent/frames/call.ts";
import { ACKNOWLEDGE_EVERY, FRAME_CHARS } from "../agent/frames/limits.ts";
import {
  type NetworkPartWord,
  networkBody,
  networkFrame,
  type Position,
  packedFrame,
} from "../agent/frames/to-agent.ts";
import type { Batch, Directory, Subscriber, Subscription } from "../directory/directory.ts";
import type { EntryId } from "../directory/entry-table.ts";
import { Piece } from "../directory/piece.ts";
import { PACKED, PLAIN } from "../directory/shelf-view.ts";
import { type Outlet, SendWindow } from "./send-window.ts";
import type { Turnstile } from "./turnstile.ts";

/** Changes of more entries than this are not gathered one by one: everything is sent anew. */
const MOST_GATHERED = 4_096;

/** Of "all": when every node comes back at once, their server has other things to do as well. An agent acknowledges at once what is large, and else every fourth frame. */
const MOST_PARTS_UNDER_WAY = ACKNOWLEDGE_EVERY;
const MOST_PART_CHARS_UNDER_WAY = FRAME_CHARS;

export interface NetworkFeedOptions {
  readonly directory: Directory;
  readonly node: string;
  readonly stream: number;
  readonly outlet: Outlet;
  /** What the agent reads, and what it has already. */
  readonly wish?: NetworkWish;
  /** Absent: large frames go out as fast as the agent takes them. */
  readonly turnstile?: Turnstile;
}

/** What was begun, and is sent to its end before anything else: parts of two answers never mix. */
interface Begun {
  readonly pieces: readonly Piece[];
  at: number;
  readonly last: "all" | "kept" | "changed";
  readonly revision: number;
  readonly kept?: ReadonlySet<number>;
}

const NOTHING = new Piece("[]", undefined);

/**
 * One stream of the network's entries to one agent. What changed while the agent does not keep up is noted by name and looked up
 * when it is sent, so that it costs a bounded set of names. Who keeps up is sent a text that was made once for all, and packed once.
 */
export class NetworkFeed implements Subscriber {
  readonly nodeName: string;
  readonly #directory: Directory;
  readonly #stream: number;
  readonly #window: SendWindow;
  readonly #subscription: Subscription;
  readonly #readsPacked: boolean;
  readonly #turnstile: Turnstile | undefined;
  /** What it said that it had when it asked: of use once. */
  #has: string | undefined;
  #begun: Begun | undefined;
  /** Its next piece is being packed. */
  #awaited: Piece | undefined;
  #isStale = true;
  #isOver = false;
  #changed = new Map<string, EntryId>();
  /** What the agent knows when it has heard all that is gathered here. */
  #revision = 0;
  /** What it knows by the frames that were sent. */
  #sentRevision = 0;
  #settled = 0;
  #sentSettled = 0;

  constructor({ directory, node, stream, outlet, wish = {}, turnstile }: NetworkFeedOptions) {
    this.nodeName = node;
    this.#directory = directory;
    this.#stream = stream;
    this.#readsPacked = wish.reads === "zstd";
    this.#has = wish.has;
    this.#turnstile = turnstile;
    this.#window = new SendWindow(outlet);
    this.#subscription = directory.subscribe(this);
  }

  get position(): Position {
    return [this.#stream, this.#window.sequence, this.#window.acknowledged];
  }

  changed(batch: Batch): void {
    if (this.#isStale) return;
    const isIdle = this.#begun === undefined && this.#changed.size === 0 && this.#window.hasRoom;
    this.#revision = batch.revision;
    const pieces = isIdle ? this.#directory.piecesOf(batch, this.nodeName) : undefined;
    if (pieces === undefined) this.#gather(batch);
    else this.#begun = { pieces, at: 0, last: "changed", revision: batch.revision };
    this.pump();
  }

  settled(revision: number): void {
    this.#settled = revision;
    this.pump();
  }

  applied(revision: number): void {
    // An agent that says more than it was told is not believed.
    this.#subscription.applied(Math.min(revision, this.#sentRevision));
  }

  got(sequence: number, isBehind: boolean): void {
    this.#window.got(sequence, isBehind);
    this.pump();
  }

  /** Sends what there is to send, as far as the agent keeps up. */
  pump(): void {
    while (!this.#isOver && this.#window.hasRoom) if (!this.#sendNext()) return;
  }

  end(): void {
    this.#isOver = true;
    this.#turnstile?.forget(this);
    this.#subscription.end();
  }

  #gather(batch: Batch): void {
    for (const [key, id] of this.#directory.changedFor(batch, this.nodeName)) this.#changed.set(key, id);
    if (this.#changed.size <= MOST_GATHERED) return;
    this.#isStale = true;
    this.#changed = new Map();
  }

  /** False when there is nothing, or it is to wait. */
  #sendNext(): boolean {
    if (this.#begun === undefined && this.#isStale) this.#begin();
    if (this.#begun !== undefined) return this.#sendPiece(this.#begun);
    if (this.#changed.size > 0) this.#sendChanged();
    // Of a batch that was not for this node: the others wait for it all the same.
    else if (this.#revision > this.#sentRevision) this.#send("changed", this.#revision, networkFrame, "[]");
    else if (this.#settled > this.#sentSettled) this.#send("settled", this.#settled, networkFrame, "[]");
    else return false;
    return true;
  }

  #begin(): void {
    // What was gathered is told to all before, and is no news after it.
    const { parts, changed, revision, kept } = this.#directory.snapshot(
      this.nodeName,
      this.#readsPacked ? PACKED : PLAIN,
      this.#has,
    );
    this.#has = undefined;
    this.#isStale = false;
    const last = kept === undefined ? "all" : "kept";
    this.#begun = { pieces: parts, at: 0, last, revision, ...(kept === undefined ? {} : { kept }) };
    this.#changed = new Map(changed);
    this.#revision = revision;
    this.#settled = this.#directory.settledRevision;
    this.#sentSettled = 0;
  }

  #sendPiece(begun: Begun): boolean {
    const piece = begun.pieces[begun.at] ?? NOTHING;
    if (!this.#isReady(piece) || (begun.last !== "changed" && !this.#mayPass(piece))) return false;
    begun.at++;
    const isLast = begun.at >= begun.pieces.length;
    if (isLast) this.#begun = undefined;
    const rest = begun.last === "changed" ? "changed" : "more";
    const kept = isLast ? begun.kept : undefined;
    const packed = this.#readsPacked ? piece.packed : undefined;
    const frame = packed === undefined ? networkFrame : packedFrame;
    this.#send(
      isLast ? begun.last : rest,
      isLast ? this.#reached(begun) : this.#sentRevision,
      frame,
      packed ?? piece.text,
      kept,
    );
    return true;
  }

  #mayPass(piece: Piece): boolean {
    const { frames, chars } = this.#window.underWay;
    if (frames >= MOST_PARTS_UNDER_WAY || chars >= MOST_PART_CHARS_UNDER_WAY) return false;
    const length = (this.#readsPacked ? piece.packed : undefined)?.length ?? piece.text.length;
    return this.#turnstile?.pass(this, length, () => this.pump()) ?? true;
  }

  /** Else it goes on when it is. */
  #isReady(piece: Piece): boolean {
    if (!this.#readsPacked || piece.isPlain || piece.packed !== undefined) return true;
    if (this.#awaited !== piece) {
      this.#awaited = piece;
      void piece.packing().then(() => {
        this.#awaited = undefined;
        this.pump();
      });
    }
    return false;
  }

  /** What is known by who has heard it to its end: of everything, no more than before as long as something has changed since. */
  #reached({ last, revision }: Begun): number {
    if (last === "changed") return revision;
    return this.#changed.size === 0 ? this.#revision : this.#sentRevision;
  }

  #sendChanged(): void {
    const texts: string[] = [];
    const removed: EntryId[] = [];
    let chars = 0;
    for (const [key, id] of this.#changed) {
      const text = this.#directory.heldFor(this.nodeName, key)?.text;
      if (chars > 0 && chars + (text?.length ?? 0) > FRAME_CHARS) break;
      if (text === undefined) removed.push({ kind: id.kind, id: id.id });
      else texts.push(text);
      chars += (text?.length ?? 0) + key.length;
      this.#changed.delete(key);
    }
    const revision = this.#changed.size === 0 ? this.#revision : this.#sentRevision;
    this.#send("changed", revision, networkFrame, networkBody(texts.join(","), removed));
  }

  #send(
    part: NetworkPartWord,
    revision: number,
    frame: typeof networkFrame,
    body: string,
    kept?: ReadonlySet<number>,
  ): void {
    if (part === "settled") this.#sentSettled = revision;
    else this.#sentRevision = revision;
    const head = { stream: this.#stream, part, revision, ...(kept === undefined ? {} : { kept }) };
    this.#window.send((sequence) => frame({ ...head, sequence }, body));
  }
}
