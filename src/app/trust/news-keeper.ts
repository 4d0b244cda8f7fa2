import type { ClusterNews } from "../../model/cluster-news.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { NodeIdentity } from "./node-identity.ts";

export interface NewsKeeperOptions {
  readonly identity: Pick<NodeIdentity, "takeNews">;
  readonly clock: Clock;
  readonly log: Log;
}

/** A full disk is emptied by somebody: until then the cluster waits for this node before another CA signs. */
const AGAIN_MS = 15_000;

/** Writes down what was heard of the cluster, the newest last, and tries again by itself while the disk does not take it. */
export class NewsKeeper {
  readonly #options: NewsKeeperOptions;
  #writing: Promise<void> = Promise.resolve();
  #again: Timer | undefined;
  #trouble = "";
  #isClosed = false;

  constructor(options: NewsKeeperOptions) {
    this.#options = options;
  }

  take(news: ClusterNews): void {
    this.#again?.cancel();
    this.#writing = this.#writing.then(() => this.#write(news));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#again?.cancel();
    await this.#writing;
  }

  async #write(news: ClusterNews): Promise<void> {
    const { identity, log, clock } = this.#options;
    // Later news may wait already, and make this superfluous.
    this.#again?.cancel();
    try {
      await identity.takeNews(news);
      this.#trouble = "";
    } catch (error) {
      const why = String(error);
      if (why !== this.#trouble)
        log.warn("what was heard of the cluster could not be written down; trying again", { why });
      this.#trouble = why;
      if (!this.#isClosed) this.#again = clock.setTimer(AGAIN_MS, () => this.take(news));
    }
  }
}
