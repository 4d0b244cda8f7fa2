import { Mux } from "../agent/frames/streams/mux.ts";
import { aliveFrame } from "../agent/frames/to-agent.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { ApiError } from "../model/errors.ts";
import type { Clock } from "../seams/clock.ts";
import type { Link } from "../seams/link.ts";
import type { Store } from "../store/store.ts";
import { PodFeed } from "./pod-feed.ts";

/** Watches of one link at once; an agent has one, and for a moment two. */
const MOST_FEEDS = 4;
/** Each new one begins with everything, however short the asking. */
const NEW_FEEDS = { burst: 4, perSecond: 1 };
/** An agent that does not read what it is sent must not fill this process. */
const MOST_BUFFERED_BYTES = 16 * 1024 * 1024;

/** One link that an agent dialed, and the streams on it. */
export class AgentLink {
  readonly node: string;
  /** Links are numbered as they are accepted: of two of one node the later one is the newer. */
  readonly order: number;
  readonly feeds = new Map<number, PodFeed>();
  heardAtMs: number;
  /** What kind of link it has turned out to be. */
  use: "unknown" | "beats" | "session" = "unknown";
  /** It has been said that it says too much. */
  isLoud = false;
  readonly #link: Link;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #newFeeds: TokenBucket;
  #isOpen = true;
  #mux: Mux | undefined;

  constructor(link: Link, store: Store, clock: Clock, known: { readonly node: string; readonly order: number }) {
    this.#link = link;
    this.#store = store;
    this.#clock = clock;
    this.node = known.node;
    this.order = known.order;
    this.heardAtMs = clock.monotonic();
    this.#newFeeds = new TokenBucket(NEW_FEEDS, this.heardAtMs);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(frame: string): void {
    if (!this.#isOpen) return;
    this.#link.send(frame);
    if ((this.#link.bufferedBytes ?? 0) > MOST_BUFFERED_BYTES) this.close("what it was sent is not read");
  }

  /** Streams of bytes to and from this node. Throws ApiError where the link carries text alone. */
  get mux(): Mux {
    if (!this.#link.sendBytes)
      throw new ApiError("Unavailable", `the link of node "${this.node}" carries no logs, commands and connections`);
    this.#mux ??= new Mux({ link: this.#link, clock: this.#clock });
    return this.#mux;
  }

  /** Whether it was data that was waited for. Throws FrameError. */
  bytes(frame: Uint8Array): boolean {
    return this.#mux?.heard(frame) ?? false;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#mux?.size ?? 0;
  }

  openFeed(stream: number): void {
    if (this.feeds.has(stream) || !this.#isOpen) return;
    if (!this.#newFeeds.take(NEW_FEEDS, this.#clock.monotonic()))
      throw new ApiError("TooManyRequests", `node "${this.node}" opens streams too often`);
    const feed = new PodFeed(this.#store, this.node, stream, {
      send: (frame) => this.send(frame),
      monotonic: () => this.#clock.monotonic(),
    });
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
    this.#mux?.close(new ApiError("Unavailable", `the connection to node "${this.node}" was lost`));
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.end();
    this.#link.close(reason);
  }
}
