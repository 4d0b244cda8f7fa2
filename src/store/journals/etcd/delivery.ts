/**
 * Batches on their way from etcd to the store that follows: whole, in order, once. What this process has appended itself
 * comes back with the rest and is left out, unless its answer was lost: then this is how the store learns of it.
 */
import type { Followed } from "../../journal.ts";
import type { MirroredBatch } from "./mirror.ts";

export class Delivery {
  #followed: Followed | undefined;
  #queue: MirroredBatch[] = [];
  /** Of this process's last term, and how far what it appended is known to be durable. */
  #own = { term: 0, revision: 0 };
  #isHeld = false;
  #lostFor: string | undefined;

  /** Batches that nobody has been told of. */
  get waiting(): number {
    return this.#queue.length;
  }

  follow(followed: Followed): void {
    this.#followed = followed;
    this.#drain();
    if (this.#lostFor !== undefined) followed.lost(this.#lostFor);
  }

  push(batch: MirroredBatch): void {
    this.#queue.push(batch);
    this.#drain();
  }

  lost(reason: string): void {
    this.#lostFor = reason;
    this.#followed?.lost(reason);
  }

  lead(term: number): void {
    this.#own = { term, revision: 0 };
    this.#isHeld = true;
  }

  /** An append of this process was answered. */
  appended(revision: number): void {
    this.#own = { ...this.#own, revision };
    this.#drain();
  }

  /** Nothing is told while this process leads or has an append under way. */
  release(): void {
    this.#isHeld = false;
    this.#drain();
  }

  #drain(): void {
    for (;;) {
      const next = this.#queue[0];
      if (!next) return;
      const isOwn = next.term === this.#own.term && next.revision <= this.#own.revision;
      if (!isOwn && (this.#isHeld || !this.#followed)) return;
      this.#queue.shift();
      if (!isOwn) this.#followed?.batch(next.entries);
    }
  }
}
