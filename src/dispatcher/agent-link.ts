import type { NetworkWish } from "../agent/frames/call.ts";
import { Mux } from "../agent/frames/streams/mux.ts";
import { aliveFrame, type Offer } from "../agent/frames/to-agent.ts";
import type { Directory } from "../directory/directory.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { ApiError } from "../model/errors.ts";
import type { Clock } from "../seams/clock.ts";
import type { Link } from "../seams/link.ts";
import type { Store } from "../store/store.ts";
import { NetworkFeed } from "./network-feed.ts";
import { PodFeed } from "./pod-feed.ts";
import type { Outlet } from "./send-window.ts";
import type { Turnstile } from "./turnstile.ts";

/** Watches of one link at once; an agent has one, and for a moment two. */
const MOST_FEEDS = 4;
/** Each new one begins with everything, however short the asking. */
const NEW_FEEDS = { burst: 4, perSecond: 1 };
/** An agent that does not read what it is sent must not fill this process. */
const MOST_BUFFERED_BYTES = 16 * 1024 * 1024;

/** What all are told of the network, and the way it leaves this process. */
export interface NetworkTold {
  readonly directory: Directory;
  readonly turnstile: Turnstile;
}

/** One link that an agent dialed, and the streams on it. */
export class AgentLink {
  readonly node: string;
  /** Links are numbered as they are accepted: of two of one node the later one is the newer. */
  readonly order: number;
  readonly feeds = new Map<number, PodFeed>();
  /** What it is told of the network: the newest of its streams. */
  network: { readonly stream: number; readonly feed: NetworkFeed } | undefined;
  heardAtMs: number;
  /** What kind of link it has turned out to be. */
  use: "unknown" | "beats" | "session" = "unknown";
  /** It has been said that it says too much. */
  isLoud = false;
  readonly #link: Link;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #newFeeds: TokenBucket;
  readonly #newNetworks: TokenBucket;
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
    this.#newNetworks = new TokenBucket(NEW_FEEDS, this.heardAtMs);
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
    this.#checkPace(this.#newFeeds);
    const feed = new PodFeed(this.#store, this.node, stream, this.#outlet);
    this.feeds.set(stream, feed);
    const [oldest] = this.feeds.keys();
    if (this.feeds.size > MOST_FEEDS && oldest !== undefined) this.feeds.delete(oldest);
    feed.pump();
  }

  openNetwork(stream: number, wish: NetworkWish, { directory, turnstile }: NetworkTold): void {
    if (this.network?.stream === stream || !this.#isOpen) return;
    this.#checkPace(this.#newNetworks);
    this.network?.feed.end();
    const feed = new NetworkFeed({ directory, turnstile, node: this.node, stream, outlet: this.#outlet, wish });
    this.network = { stream, feed };
    feed.pump();
  }

  got(stream: number, sequence: number, isBehind: boolean): void {
    const feed = this.network?.stream === stream ? this.network.feed : this.feeds.get(stream);
    feed?.got(sequence, isBehind);
  }

  applied(stream: number, revision: number): void {
    if (this.network?.stream === stream) this.network.feed.applied(revision);
  }

  drop(stream: number): void {
    this.feeds.delete(stream);
    if (this.network?.stream === stream) this.#endNetwork();
  }

  #endNetwork(): void {
    this.network?.feed.end();
    this.network = undefined;
  }

  #checkPace(bucket: TokenBucket): void {
    if (bucket.take(NEW_FEEDS, this.#clock.monotonic())) return;
    throw new ApiError("TooManyRequests", `node "${this.node}" opens streams too often`);
  }

  get #outlet(): Outlet {
    return { send: (frame) => this.send(frame), monotonic: () => this.#clock.monotonic() };
  }

  /** Says that we are here, and how far each stream has got. */
  sign(offers: readonly Offer[]): void {
    const positions = [...this.feeds.values()].map(({ position }) => position);
    if (this.network) positions.push(this.network.feed.position);
    this.send(aliveFrame(positions, offers));
  }

  /** From the other side, or for good. */
  end(): void {
    this.#isOpen = false;
    this.feeds.clear();
    this.#endNetwork();
    this.#mux?.close(new ApiError("Unavailable", `the connection to node "${this.node}" was lost`));
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.end();
    this.#link.close(reason);
  }
}
