import { FRAME_CHARS } from "../agent/frames/limits.ts";
import { type PodsPart, type Position, podsFrame } from "../agent/frames/to-agent.ts";
import { type Pod, pods } from "../model/pod.ts";
import { isHeld, RESTORATION_NAME, restorations } from "../model/restoration.ts";
import type { Store } from "../store/store.ts";
import { type Outlet, SendWindow } from "./send-window.ts";

/** Changes of more pods than this are not gathered one by one: everything is sent anew. */
const MOST_GATHERED = 4_096;
/** As it is numbered. */
type Frame = (sequence: number) => string;

/**
 * One stream of assignments to one agent. What changed is noted by name and looked up when it is sent, so that a slow
 * agent costs a bounded set of names, sees the newest state when its turn comes, and never an older one after it. Frames
 * are kept until they are acknowledged, and sent again when the agent misses one.
 */
export class PodFeed {
  readonly #store: Store;
  readonly #node: string;
  readonly #stream: number;
  readonly #window: SendWindow;
  /** Of "all", what is still to be sent. */
  #rest: readonly Pod[] | undefined;
  #isStale = true;
  /** Uid → key of what changed and has not been sent. */
  #changed = new Map<string, string>();

  constructor(store: Store, node: string, stream: number, outlet: Outlet) {
    this.#store = store;
    this.#node = node;
    this.#stream = stream;
    this.#window = new SendWindow(outlet);
  }

  get position(): Position {
    return [this.#stream, this.#window.sequence, this.#window.acknowledged];
  }

  touch(uid: string, key: string): void {
    if (this.#isStale) return;
    this.#changed.set(uid, key);
    if (this.#changed.size > MOST_GATHERED) this.startOver();
  }

  /** Changes may have been missed: everything is sent anew. */
  startOver(): void {
    this.#isStale = true;
    this.#changed = new Map();
  }

  /** Sends what there is to send, as far as the agent keeps up. */
  pump(): void {
    while (this.#window.hasRoom) {
      const frame = this.#next();
      if (frame === undefined) return;
      this.#window.send(frame);
    }
  }

  got(sequence: number, isBehind: boolean): void {
    this.#window.got(sequence, isBehind);
    this.pump();
  }

  #next(): Frame | undefined {
    // What was begun is finished first: parts of two answers never mix.
    if (this.#rest === undefined && this.#isStale) {
      this.#isStale = false;
      this.#rest = this.#store.by(pods, "node", this.#node);
    }
    if (this.#rest !== undefined) return this.#nextOfAll(this.#rest);
    return this.#changed.size === 0 ? undefined : this.#nextChanged();
  }

  #nextOfAll(rest: readonly Pod[]): Frame {
    const texts: string[] = [];
    let chars = 0;
    for (const pod of rest) {
      const text = this.#store.json(pod);
      if (texts.length > 0 && chars + text.length > FRAME_CHARS) break;
      texts.push(text);
      chars += text.length;
    }
    const isLast = texts.length === rest.length;
    this.#rest = isLast ? undefined : rest.slice(texts.length);
    const part = isLast ? this.#last : "more";
    return (sequence) => podsFrame(this.#stream, sequence, part, texts);
  }

  get #last(): PodsPart {
    return isHeld(this.#store.get(restorations, RESTORATION_NAME)) ? "kept" : "all";
  }

  #nextChanged(): Frame {
    const texts: string[] = [];
    const removed: { key: string; uid: string }[] = [];
    let chars = 0;
    for (const [uid, key] of this.#changed) {
      const pod = this.#store.get(pods, key);
      // Another pod of the same name is another pod.
      const isThere = pod?.metadata.uid === uid && pod.spec.nodeName === this.#node;
      const text = isThere ? this.#store.json(pod) : "";
      if (chars > 0 && chars + text.length > FRAME_CHARS) break;
      if (isThere) texts.push(text);
      else removed.push({ key, uid });
      chars += text.length + key.length + uid.length;
      this.#changed.delete(uid);
    }
    return (sequence) => podsFrame(this.#stream, sequence, "changed", texts, removed);
  }
}
