import type { Observer } from "./contract.ts";

/** Tells all observers of a world; what one of them throws is the world's failure. */
export class Observers {
  readonly #all: Observer[] = [];
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  add(observer: Observer): void {
    this.#all.push(observer);
  }

  tell(say: (observer: Observer) => void): void {
    for (const observer of this.#all) {
      try {
        say(observer);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
