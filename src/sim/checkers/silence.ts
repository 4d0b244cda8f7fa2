/** What the control plane could know of each node's silence, kept apart from its own books. Times are the world's, monotonic. */
import type { Goodbye, Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { Clock } from "../../seams/clock.ts";

interface NodeSilence {
  /** How long control planes had run in all when it was last heard. */
  heardUpMs: number;
  heardMs: number;
  session: string;
  /** The highest heard of the session: what comes late or twice says nothing new. */
  sequence: number;
  /** The last silence that was longer than a decision needs, and when it ended. */
  longestMs: number;
  endedMs: number;
  /** It said goodbye then, and has not been heard since. */
  partedMs: number | undefined;
}

/** A decision is written a little after it was made; a node may come back in between. */
const WRITTEN_WITHIN_MS = 5_000;
/** A journal that stands still holds what was decided. */
const WRITTEN_LATE_MS = 120_000;

export class Silence {
  readonly #nodes = new Map<string, NodeSilence>();
  #clock: Clock | undefined;
  #startedMs = 0;
  /** How long control planes ran that have ended. */
  #ranMs = 0;
  #isUp = false;
  #journalTroubleMs = Number.NEGATIVE_INFINITY;

  begin(clock: Clock): void {
    this.#clock = clock;
  }

  get nowMs(): number {
    return this.#clock?.monotonic() ?? 0;
  }

  /** Since when this control plane runs. */
  get startedMs(): number {
    return this.#startedMs;
  }

  started(): void {
    this.#startedMs = this.nowMs;
    this.#isUp = true;
  }

  get #upMs(): number {
    return this.#ranMs + (this.#isUp ? this.nowMs - this.#startedMs : 0);
  }

  /** How long control planes have run since it was last heard; undefined for a node that was never heard. */
  listenedMs(node: string): number | undefined {
    const known = this.#nodes.get(node);
    return known && this.#upMs - known.heardUpMs;
  }

  fault(text: string): void {
    if (/journal/i.test(text)) this.#journalTroubleMs = this.nowMs;
    if (text === "the server crashes") {
      this.#ranMs = this.#upMs;
      this.#isUp = false;
    }
  }

  heard({ node, session, sequence }: Heartbeat, { renewed }: HeartbeatAnswer): void {
    if (!renewed) return;
    const now = this.nowMs;
    const known = this.#nodes.get(node);
    if (!known) {
      const fresh = { heardMs: now, heardUpMs: this.#upMs, session, sequence, longestMs: 0, endedMs: now };
      this.#nodes.set(node, { ...fresh, partedMs: undefined });
      return;
    }
    if (session === known.session && sequence <= known.sequence) return;
    known.sequence = sequence;
    const gapMs = now - known.heardMs;
    // Beats come every second or so: only what could have led to a decision is worth remembering.
    if (gapMs > 2_500) {
      known.longestMs = gapMs;
      known.endedMs = now;
    }
    known.heardMs = now;
    known.heardUpMs = this.#upMs;
    known.session = session;
    known.partedMs = undefined;
  }

  parted({ node, session }: Goodbye): void {
    const known = this.#nodes.get(node);
    if (known?.session === session) known.partedMs = this.nowMs;
  }

  /** The longest silence that a decision written now can be about; undefined for a node that was never heard. */
  silenceOf(node: string): number | undefined {
    const known = this.#nodes.get(node);
    if (!known) return undefined;
    const now = this.nowMs;
    const lateMs = now - this.#journalTroubleMs < WRITTEN_LATE_MS ? WRITTEN_LATE_MS : WRITTEN_WITHIN_MS;
    const earlier = now - known.endedMs <= lateMs ? known.longestMs : 0;
    return Math.max(now - known.heardMs, earlier);
  }

  /** How long ago it said goodbye, if that is the last thing it said. */
  partedAgoMs(node: string): number | undefined {
    const partedMs = this.#nodes.get(node)?.partedMs;
    return partedMs === undefined ? undefined : this.nowMs - partedMs;
  }

  heardMsOf(node: string): number | undefined {
    return this.#nodes.get(node)?.heardMs;
  }

  get names(): Iterable<string> {
    return this.#nodes.keys();
  }
}
