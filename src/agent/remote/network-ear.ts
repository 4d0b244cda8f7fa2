import type { NetworkNews } from "../../model/network.ts";
import type { NetworkFrame, Offer } from "../frames/to-agent.ts";
import { appliedFrame, dropFrame } from "../frames/to-dispatcher.ts";
import { type NetworkWatch, networkWatch } from "./network-watch.ts";
import type { WatchOptions } from "./stream-watch.ts";

/** What is heard of the network over all the links that come one after another, where the control plane at the other end tells of it. */
export class NetworkEar {
  #options: WatchOptions | undefined;
  #watch: NetworkWatch | undefined;
  /** On this link. */
  #isOffered = false;

  /** One listener at a time: a later one takes the place of the earlier. */
  hear(options: WatchOptions, listener: (news: NetworkNews) => void, signal: AbortSignal): void {
    this.#end(this.#watch);
    const watch = networkWatch(options, listener);
    this.#options = options;
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
    this.#watch?.close();
  }

  end(): void {
    this.#watch?.end();
    this.#watch = undefined;
  }

  #open(): void {
    if (this.#isOffered && this.#options?.isOpen() && this.#watch?.isOpening === false) this.#watch.open();
  }

  #end(watch: NetworkWatch | undefined): void {
    const stream = watch?.stream;
    watch?.end();
    if (this.#watch === watch) this.#watch = undefined;
    if (stream !== undefined) this.#options?.send(dropFrame(this.#options.session, stream));
  }
}
