/** What is to be looked at, soon or at a time, by name: each once, however often it is asked for, and after a look that is under way. */
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import { Agenda } from "./agenda.ts";

/** In place of a node's name: what is to be said about the cluster. */
export const CLUSTER = "";
/** … and for the terms that agents go by. */
export const TERMS = " terms";

const RETRY_MS = 1_000;
/** Longest run without letting the event loop breathe. */
const SLICE_MS = 10;

export interface LooksParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Compares one with the store; rejects when it could not be written. */
  readonly look: (name: string) => Promise<void>;
  /** Asks for `run` to be called soon. */
  readonly goOn: () => void;
}

export class Looks {
  readonly #parts: LooksParts;
  readonly #agenda = new Agenda();
  /** To be looked at by the next run. */
  readonly #dirty = new Set<string>();
  readonly #writing = new Set<string>();

  constructor(parts: LooksParts) {
    this.#parts = parts;
  }

  get nextMs(): number | undefined {
    return this.#agenda.nextMs;
  }

  touch(name: string): void {
    this.#dirty.add(name);
    this.#parts.goOn();
  }

  /** With the next run, whenever that is. */
  mark(name: string): void {
    this.#dirty.add(name);
  }

  later(name: string, atMs: number): void {
    this.#agenda.add(name, atMs);
  }

  retry(name: string): void {
    this.later(name, this.#parts.clock.monotonic() + RETRY_MS);
  }

  /** Whose time has come is looked at by the next run. */
  takeDue(nowMs: number): void {
    for (const name of this.#agenda.take(nowMs)) this.#dirty.add(name);
  }

  run(): void {
    const { clock, goOn } = this.#parts;
    const beganMs = clock.monotonic();
    const names = [...this.#dirty].filter((name) => !this.#writing.has(name)).sort();
    for (const name of names) {
      // Thousands of nodes may be lost at once; heartbeats of the others must not wait for that.
      if (clock.monotonic() - beganMs > SLICE_MS) {
        goOn();
        return;
      }
      void this.now(name);
    }
  }

  /** Whatever is under way. Resolves when it is written, or will be tried again. */
  async now(name: string): Promise<void> {
    const { log, signal, look } = this.#parts;
    this.#dirty.delete(name);
    this.#writing.add(name);
    try {
      await look(name);
    } catch (error) {
      if (signal.aborted) return;
      log.warn("could not write what became of a node; trying again", { node: name, error: String(error) });
      this.retry(name);
    } finally {
      this.#writing.delete(name);
      if (this.#dirty.has(name)) this.touch(name);
    }
  }
}
