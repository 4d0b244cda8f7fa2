import { aliveFrame } from "../agent/frames/to-agent.ts";
import type { Link } from "../seams/link.ts";
import type { Store } from "../store/store.ts";
import { PodFeed } from "./pod-feed.ts";

/** Watches of one link at once; an agent has one, and for a moment two. */
const MOST_FEEDS = 4;

/** One link that an agent dialed, and the streams on it. */
export class AgentLink {
  readonly node: string;
  /** Links are numbered as they are accepted: of two of one node the later one is the newer. */
  readonly order: number;
  readonly feeds = new Map<number, PodFeed>();
  heardAtMs: number;
  /** What kind of link it has turned out to be. */
  use: "unknown" | "beats" | "session" = "unknown";
  readonly #link: Link;
  readonly #store: Store;
  #isOpen = true;

  constructor(
    link: Link,
    store: Store,
    known: { readonly node: string; readonly order: number; readonly nowMs: number },
  ) {
    this.#link = link;
    this.#store = store;
    this.node = known.node;
    this.order = known.order;
    this.heardAtMs = known.nowMs;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(frame: string): void {
    if (this.#isOpen) this.#link.send(frame);
  }

  openFeed(stream: number): void {
    if (this.feeds.has(stream) || !this.#isOpen) return;
    const feed = new PodFeed(this.#store, this.node, stream, (frame) => this.send(frame));
    this.feeds.set(stream, feed);
    const [oldest] = this.feeds.keys();
    if (this.feeds.size > MOST_FEEDS && oldest !== undefined) this.feeds.delete(oldest);
    feed.pump();
  }

  /** Says that we are here, and how far each stream has got. */
  sign(): void {
    this.send(aliveFrame([...this.feeds.values()].map(({ position }) => position)));
  }

  /** From the other side, or for good. */
  end(): void {
    this.#isOpen = false;
    this.feeds.clear();
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.end();
    this.#link.close(reason);
  }
}
