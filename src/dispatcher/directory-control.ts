import type { Batch, Directory, Subscriber, Subscription } from "../directory/directory.ts";
import type { NetworkEntry, NetworkNews } from "../model/network.ts";

/** The directory as an agent in the same process hears it: entries as they are, with nothing in between. */
export class DirectoryControl {
  readonly #directory: Directory;
  readonly #nodeName: string;
  #subscription: Subscription | undefined;

  constructor(directory: Directory, nodeName: string) {
    this.#directory = directory;
    this.#nodeName = nodeName;
  }

  /** `listener` hears nothing before the caller is done. */
  watch(listener: (news: NetworkNews) => void, signal: AbortSignal): void {
    void this.#directory.begun.then(() => {
      if (!signal.aborted) this.#begin(listener, signal);
    });
  }

  applied(revision: number): void {
    this.#subscription?.applied(revision);
  }

  #begin(listener: (news: NetworkNews) => void, signal: AbortSignal): void {
    const { revision, entries } = this.#directory.everything(this.#nodeName);
    const subscriber: Subscriber = {
      nodeName: this.#nodeName,
      changed: (batch) => listener(this.#newsOf(batch)),
      settled: (settled) => listener({ type: "settled", revision: settled }),
    };
    const subscription = this.#directory.subscribe(subscriber);
    this.#subscription = subscription;
    signal.addEventListener("abort", () => subscription.end(), { once: true });
    listener({ type: "all", revision, entries });
    listener({ type: "settled", revision: this.#directory.settledRevision });
  }

  #newsOf(batch: Batch): NetworkNews {
    const entries: NetworkEntry[] = [];
    const removed = [];
    for (const [key, { kind, id }] of this.#directory.changedFor(batch, this.#nodeName)) {
      const held = this.#directory.heldFor(this.#nodeName, key);
      if (held === undefined) removed.push({ kind, id });
      else entries.push(held.entry);
    }
    return { type: "changed", revision: batch.revision, entries, removed };
  }
}
