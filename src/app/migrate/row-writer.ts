import type { Journal, JournalEntry } from "../../store/journal.ts";

/** Within what etcd takes in one request. */
const MOST_ROWS = 100;
const MOST_CHARS = 512 * 1024;

/** Fills a journal in batches of bounded size. */
export class RowWriter {
  readonly #journal: Journal;
  readonly #progress: (rows: number) => void;
  #batch: JournalEntry[] = [];
  #chars = 0;
  #written = 0;

  constructor(journal: Journal, progress: (rows: number) => void = () => {}) {
    this.#journal = journal;
    this.#progress = progress;
  }

  get isDue(): boolean {
    return this.#batch.length >= MOST_ROWS || this.#chars >= MOST_CHARS;
  }

  add(entry: JournalEntry): void {
    this.#batch.push(entry);
    this.#chars += entry.json?.length ?? 0;
  }

  async flush(): Promise<void> {
    for (let at = 0; at < this.#batch.length; ) {
      const part = this.#part(at);
      await this.#journal.append(part);
      at += part.length;
      this.#written += part.length;
      this.#progress(this.#written);
    }
    this.#batch = [];
    this.#chars = 0;
  }

  async put(entry: JournalEntry): Promise<void> {
    this.add(entry);
    if (this.isDue) await this.flush();
  }

  #part(from: number): readonly JournalEntry[] {
    let chars = 0;
    let to = from;
    while (to < this.#batch.length && to - from < MOST_ROWS && (to === from || chars < MOST_CHARS))
      chars += this.#batch[to++]?.json?.length ?? 0;
    return this.#batch.slice(from, to);
  }
}
