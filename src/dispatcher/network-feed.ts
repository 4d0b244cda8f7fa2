import { FRAME_CHARS } from "../agent/frames/limits.ts";
import { networkBody, networkFrame, type Position } from "../agent/frames/to-agent.ts";
import type { Batch, Directory, Subscriber, Subscription } from "../directory/directory.ts";
import type { EntryId } from "../directory/entry-table.ts";
import { type Outlet, SendWindow } from "./send-window.ts";

/** Changes of more entries than this are not gathered one by one: everything is sent anew. */
const MOST_GATHERED = 4_096;

/** Of "all": when every node comes back at once, their server has other things to do as well. */
const MOST_PARTS_UNDER_WAY = 2;

export interface NetworkFeedOptions {
  readonly directory: Directory;
  readonly node: string;
  readonly stream: number;
  readonly outlet: Outlet;
}

/**
 * One stream of the network's entries to one agent. What changed while the agent does not keep up is noted by name and looked up
 * when it is sent, so that it costs a bounded set of names. Who keeps up is sent a text that was made once for all.
 */
export class NetworkFeed implements Subscriber {
  readonly nodeName: string;
  readonly #directory: Directory;
  readonly #stream: number;
  readonly #window: SendWindow;
  readonly #subscription: Subscription;
  /** Of "all", what is still to be sent. */
  #rest: readonly string[] | undefined;
  #isStale = true;
  #changed = new Map<string, EntryId>();
  /** What the agent knows when it has heard all that is gathered here. */
  #revision = 0;
  /** What it knows by the frames that were sent. */
  #sentRevision = 0;
  #settled = 0;
  #sentSettled = 0;

  constructor({ directory, node, stream, outlet }: NetworkFeedOptions) {
    this.nodeName = node;
    this.#directory = directory;
    this.#stream = stream;
    this.#window = new SendWindow(outlet);
    this.#subscription = directory.subscribe(this);
  }

  get position(): Position {
    return [this.#stream, this.#window.sequence, this.#window.acknowledged];
  }

  changed(batch: Batch): void {
    if (this.#isStale) return;
    const isIdle = this.#rest === undefined && this.#changed.size === 0 && this.#window.hasRoom;
    this.#revision = batch.revision;
    const text = isIdle ? this.#directory.textOf(batch) : undefined;
    if (text === undefined) this.#gather(batch);
    else this.#send("changed", batch.revision, text);
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
    while (this.#window.hasRoom) if (!this.#sendNext()) return;
  }

  end(): void {
    this.#subscription.end();
  }

  #gather({ changed }: Batch): void {
    for (const [key, id] of changed) this.#changed.set(key, id);
    if (this.#changed.size <= MOST_GATHERED) return;
    this.#isStale = true;
    this.#changed = new Map();
  }

  /** False when there is nothing. */
  #sendNext(): boolean {
    // What was begun is finished first: parts of two answers never mix.
    if (this.#rest === undefined && this.#isStale) this.#begin();
    if (this.#rest !== undefined) return this.#sendPart(this.#rest);
    if (this.#changed.size > 0) this.#sendChanged();
    else if (this.#settled > this.#sentSettled) this.#send("settled", this.#settled, "[]");
    else return false;
    return true;
  }

  #begin(): void {
    // What was gathered is told to all before, and is no news after it.
    const { parts, changed, revision } = this.#directory.snapshot();
    this.#isStale = false;
    this.#rest = parts;
    this.#changed = new Map(changed);
    this.#revision = revision;
    this.#settled = this.#directory.settledRevision;
    this.#sentSettled = 0;
  }

  #sendPart([part = "", ...rest]: readonly string[]): boolean {
    if (this.#window.underWay >= MOST_PARTS_UNDER_WAY) return false;
    const isLast = rest.length === 0;
    this.#rest = isLast ? undefined : rest;
    const revision = this.#changed.size === 0 ? this.#revision : this.#sentRevision;
    this.#send(isLast ? "all" : "more", isLast ? revision : this.#sentRevision, networkBody(part));
    return true;
  }

  #sendChanged(): void {
    const texts: string[] = [];
    const removed: EntryId[] = [];
    let chars = 0;
    for (const [key, id] of this.#changed) {
      const text = this.#directory.get(key)?.text;
      if (chars > 0 && chars + (text?.length ?? 0) > FRAME_CHARS) break;
      if (text === undefined) removed.push(id);
      else texts.push(text);
      chars += (text?.length ?? 0) + key.length;
      this.#changed.delete(key);
    }
    const revision = this.#changed.size === 0 ? this.#revision : this.#sentRevision;
    this.#send("changed", revision, networkBody(texts.join(","), removed));
  }

  #send(part: "more" | "all" | "changed" | "settled", revision: number, body: string): void {
    if (part === "settled") this.#sentSettled = revision;
    else this.#sentRevision = revision;
    this.#window.send((sequence) => networkFrame(this.#stream, sequence, part, revision, body));
  }
}
