import { disruptionOf } from "../model/disruption.ts";
import { isOnLostNode } from "../model/node-state.ts";
import { type Pod, pods } from "../model/pod.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";

/**
 * How many pods there are in each phase, counted once and then kept by what changes: half a million pods are not looked
 * at for every scrape. Begins when it is first asked.
 */
export class PodTally {
  readonly #store: Store;
  readonly #log: Log;
  readonly #phases = new Map<string, number>();
  readonly #moves = new Map<string, number>();
  #lost = 0;
  #following: Promise<void> | undefined;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  read() {
    this.#following ??= this.#follow(this.#count()).catch((error: Error) => {
      // Too old after a pause, or the store has closed: counted anew when it is asked again.
      this.#log.debug("pods are counted anew", { error: error.message });
      this.#following = undefined;
    });
    return { phases: this.#phases, moves: this.#moves, lost: this.#lost } as const;
  }

  /** Gives the revision that was counted. */
  #count(): number {
    this.#phases.clear();
    this.#lost = 0;
    for (const pod of this.#store.list(pods)) this.#add(pod, 1);
    return this.#store.revision;
  }

  async #follow(since: number): Promise<void> {
    for await (const changes of this.#store.watch({ kinds: [pods], since }))
      for (const change of changes) this.#take(change);
  }

  #take({ type, object, before }: Change): void {
    if (before) this.#add(before as Pod, -1);
    if (type === "removed") return;
    this.#add(object as Pod, 1);
    const reason = disruptionOf(object as Pod)?.reason;
    if (reason === undefined || (before && disruptionOf(before as Pod)?.reason === reason)) return;
    this.#moves.set(reason, (this.#moves.get(reason) ?? 0) + 1);
  }

  #add(pod: Pod, by: number): void {
    const { phase } = pod.status;
    this.#phases.set(phase, (this.#phases.get(phase) ?? 0) + by);
    if (isOnLostNode(pod)) this.#lost += by;
  }
}
