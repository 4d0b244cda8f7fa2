import type { NetworkNews } from "../../model/network.ts";
import type { NetworkHas } from "../control.ts";
import type { NetworkFrame, Offer } from "../frames/to-agent.ts";
import { appliedFrame, dropFrame } from "../frames/to-dispatcher.ts";
import { type NetworkWatch, networkWatch } from "./network-watch.ts";
import type { WatchOptions } from "./stream-watch.ts";

export interface EarOptions extends WatchOptions {
  readonly has?: NetworkHas;
}

/** What is heard of the network over all the links that come one after another, where the control plane at the other end tells of it. */
export class NetworkEar {
  #options: EarOptions | undefined;
  #watch: NetworkWatch | undefined;
  /** On this link. */
  #isOffered = false;
  /** What was asked for last of what the listener has: what comes of an earlier asking is too old. */
  #asked: object | undefined;
  #has: string | undefined;

  /** One listener at a time: a later one takes the place of the earlier. */
  hear(options: EarOptions, listener: (news: NetworkNews) => void, signal: AbortSignal): void {
    this.#end(this.#watch);
    const watch = networkWatch(options, () => this.#takeHas(), listener);
    this.#options = options;
    this.#asked = undefined;
    this.#watch = watch;
    this.#open();
    signal.addEventListener("abort", () => this.#end(watch), { once: true });
  }

  /** Best effort: said again with the next. */
  applied(revision: number): void {
    const stream = this.#watch?.stream;
    if (stream !== undefined) this.#options?.send(appliedFrame(this.#options.session, stream, revision));
  }

  offered(offers: readonly string[]): void {
    this.#isOffered ||= offers.includes("network" satisfies Offer);
    this.#open();
  }

  frame(frame: NetworkFrame): void {
    this.of(frame.stream)?.frame(frame);
  }

  of(stream: number): NetworkWatch | undefined {
    return this.#watch?.stream === stream ? this.#watch : undefined;
  }

  lostLink(): void {
    this.#isOffered = false;
    this.#asked = undefined;
    this.#watch?.close();
  }

  end(): void {
    this.#asked = {};
    this.#watch?.end();
    this.#watch = undefined;
  }

  #open(): void {
    if (!this.#isOffered || !this.#options?.isOpen() || this.#watch?.isOpening !== false) return;
    const { has } = this.#options;
    if (has === undefined) this.#watch.open();
    else if (this.#asked === undefined) void this.#openWith(has, this.#watch);
  }

  /** Until it has begun nothing is heard, so that what the listener has stays what it says. */
  async #openWith(has: NetworkHas, watch: NetworkWatch): Promise<void> {
    const asked = {};
    this.#asked = asked;
    const known = await has().catch((error: unknown) => {
      this.#options?.log.error("what is known of the network cannot be said, so everything is asked for", {
        why: String(error),
      });
      return undefined;
    });
    if (this.#asked !== asked) return;
    this.#has = known;
    watch.open();
  }

  /** Once: if it has to be opened again, something may have been heard. */
  #takeHas(): string | undefined {
    const has = this.#has;
    this.#has = undefined;
    return has;
  }

  #end(watch: NetworkWatch | undefined): void {
    const stream = watch?.stream;
    watch?.end();
    if (this.#watch === watch) this.#watch = undefined;
    if (stream !== undefined) this.#options?.send(dropFrame(this.#options.session, stream));
  }
}
