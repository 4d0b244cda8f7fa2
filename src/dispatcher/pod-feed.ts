import { FRAME_CHARS, MOST_UNACKNOWLEDGED, MOST_UNACKNOWLEDGED_CHARS } from "../agent/frames/limits.ts";
import { type PodsPart, type Position, podsFrame } from "../agent/frames/to-agent.ts";
import { type Pod, pods } from "../model/pod.ts";
import { isHeld, RESTORATION_NAME, restorations } from "../model/restoration.ts";
import type { Store } from "../store/store.ts";

/** Changes of more pods than this are not gathered one by one: everything is sent anew. */
const MOST_GATHERED = 4_096;
/** One frame goes out again no more often, however often it is asked for; an agent asks once per second. */
const RESEND_MS = 500;

/** The link that the frames go out on, and its clock. */
export interface Outlet {
  send(frame: string): void;
  monotonic(): number;
}

interface Sent {
  readonly sequence: number;
  readonly text: string;
  /** Not to be sent again before. */
  againMs: number;
}

/**
 * One stream of assignments to one agent. What changed is noted by name and looked up when it is sent, so that a slow
 * agent costs a bounded set of names, sees the newest state when its turn comes, and never an older one after it. Frames
 * are kept until they are acknowledged, and sent again when the agent misses one.
 */
export class PodFeed {
  readonly #store: Store;
  readonly #node: string;
  readonly #stream: number;
  readonly #outlet: Outlet;
  readonly #unacknowledged: Sent[] = [];
  #unacknowledgedChars = 0;
  #sequence = 0;
  #acknowledged = 0;
  /** Of "all", what is still to be sent. */
  #rest: readonly Pod[] | undefined;
  #isStale = true;
  /** Uid → key of what changed and has not been sent. */
  #changed = new Map<string, string>();

  constructor(store: Store, node: string, stream: number, outlet: Outlet) {
    this.#store = store;
    this.#node = node;
    this.#stream = stream;
    this.#outlet = outlet;
  }

  get position(): Position {
    return [this.#stream, this.#sequence, this.#acknowledged];
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
    while (this.#hasRoom()) {
      const text = this.#next();
      if (text === undefined) return;
      this.#unacknowledged.push({ sequence: this.#sequence, text, againMs: Number.NEGATIVE_INFINITY });
      this.#unacknowledgedChars += text.length;
      this.#outlet.send(text);
    }
  }

  got(sequence: number, isBehind: boolean): void {
    this.#acknowledged = Math.max(this.#acknowledged, Math.min(sequence, this.#sequence));
    while (this.#unacknowledged.length > 0) {
      const [first] = this.#unacknowledged;
      if (first === undefined || first.sequence > sequence) break;
      this.#unacknowledgedChars -= first.text.length;
      this.#unacknowledged.shift();
    }
    if (isBehind) this.#sendAgain();
    this.pump();
  }

  #sendAgain(): void {
    const nowMs = this.#outlet.monotonic();
    for (const frame of this.#unacknowledged) {
      if (frame.againMs > nowMs) continue;
      frame.againMs = nowMs + RESEND_MS;
      this.#outlet.send(frame.text);
    }
  }

  #hasRoom(): boolean {
    const frames = this.#unacknowledged.length;
    return frames < MOST_UNACKNOWLEDGED && (frames === 0 || this.#unacknowledgedChars < MOST_UNACKNOWLEDGED_CHARS);
  }

  #next(): string | undefined {
    // What was begun is finished first: parts of two answers never mix.
    if (this.#rest === undefined && this.#isStale) {
      this.#isStale = false;
      this.#rest = this.#store.by(pods, "node", this.#node);
    }
    if (this.#rest !== undefined) return this.#nextOfAll(this.#rest);
    return this.#changed.size === 0 ? undefined : this.#nextChanged();
  }

  #nextOfAll(rest: readonly Pod[]): string {
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
    return podsFrame(this.#stream, ++this.#sequence, isLast ? this.#last : "more", texts);
  }

  get #last(): PodsPart {
    return isHeld(this.#store.get(restorations, RESTORATION_NAME)) ? "kept" : "all";
  }

  #nextChanged(): string {
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
    return podsFrame(this.#stream, ++this.#sequence, "changed", texts, removed);
  }
}
