/** A journal on a simulated disk: slow, refusing, standing still, and at a crash with the last batch on disk or not. */
import type { Clock } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import { type Journal, type JournalContents, type JournalEntry, JournalRefusal } from "../store/journal.ts";
import { SimFailure, type SimJournalControls } from "./contract.ts";
import type { Life } from "./sim-time.ts";

type Row = JournalEntry & { readonly json: string };

interface Batch {
  readonly entries: readonly JournalEntry[];
  readonly life: Life;
}

const LEAST_MS = 0.25;
const SPREAD_MS = 1;

/** The disk: outlives every process that writes to it. */
export class SimJournal implements SimJournalControls {
  readonly #random: Random;
  readonly #told: (text: string) => void;
  readonly #rows = new Map<string, Row>();
  #revision = 0;
  #appends = 0;
  #delayMs = 0;
  #refusal: string | undefined;
  #stalledUntilMs = 0;
  #worldMs: () => number;
  #owner: Life | undefined;
  #underWay: Batch | undefined;

  constructor(random: Random, worldMs: () => number, told: (text: string) => void) {
    this.#random = random;
    this.#worldMs = worldMs;
    this.#told = told;
  }

  get appends(): number {
    return this.#appends;
  }

  setDelay(ms: number): void {
    this.#delayMs = ms;
    this.#told(`the journal takes ${ms} ms longer`);
  }

  refuse(words: string | undefined): void {
    this.#refusal = words;
    this.#told(words === undefined ? "the journal writes again" : `the journal refuses: ${words}`);
  }

  stall(ms: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#worldMs() + ms);
    this.#told(`the journal stands still for ${ms} ms`);
  }

  /** For one process; whoever had it before is dead. `durable` is called after the store knows, before anybody else does. */
  open(life: Life, clock: Clock, durable: (entries: readonly JournalEntry[]) => void): Journal {
    this.#owner = life;
    return {
      load: async () => {
        await clock.sleep(1);
        return this.#contents();
      },
      append: (entries) => this.#append({ entries, life }, clock, durable),
      close: async () => {},
    };
  }

  /** kill -9 of the owner. */
  crash(): void {
    const batch = this.#underWay;
    this.#underWay = undefined;
    // Whole or not at all: what a database does with a transaction that was being written.
    if (batch && this.#refusal === undefined && this.#random.next() < 0.5) {
      this.#apply(batch);
      this.#told("the batch under way is on disk");
    }
    this.#owner = undefined;
  }

  #contents(): JournalContents {
    return { revision: this.#revision, rows: [...this.#rows.values()] };
  }

  #append(batch: Batch, clock: Clock, durable: (entries: readonly JournalEntry[]) => void): Promise<void> {
    if (batch.life.isOver) return new Promise(() => {});
    this.#appends++;
    this.#underWay = batch;
    const written = this.#written(batch, clock);
    // The store has asked for the answer by then, so it hears first.
    queueMicrotask(() => {
      const tell = () => durable(batch.entries);
      written.then(tell, () => {});
    });
    return written;
  }

  #written(batch: Batch, clock: Clock): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        const leftMs = this.#stalledUntilMs - this.#worldMs();
        if (leftMs > 0) {
          clock.setTimer(leftMs, finish);
          return;
        }
        this.#underWay = undefined;
        if (this.#refusal !== undefined) return reject(new JournalRefusal(this.#refusal));
        this.#apply(batch);
        resolve();
      };
      clock.setTimer(this.#delayMs + LEAST_MS + this.#random.next() * SPREAD_MS, finish);
    });
  }

  #apply({ entries, life }: Batch): void {
    if (life !== this.#owner)
      throw new SimFailure("dead-process", `${life.name} writes to the journal after its death`);
    for (const entry of entries) {
      if (entry.revision <= this.#revision) throw new SimFailure("journal-order", `revision ${entry.revision} twice`);
      this.#revision = entry.revision;
      const id = `${entry.kind}\n${entry.key}`;
      if (entry.json === undefined) this.#rows.delete(id);
      else this.#rows.set(id, { ...entry, json: entry.json });
    }
  }
}
