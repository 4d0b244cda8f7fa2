import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Journal, type JournalContents, type JournalEntry, JournalRefusal } from "../journal.ts";

/** What goes to the worker and comes back. One request at a time is under way for `append`, so answers need no ids. */
export type SqliteRequest =
  | { readonly type: "load" }
  | { readonly type: "append"; readonly entries: readonly JournalEntry[] }
  | { readonly type: "backup"; readonly file: string }
  | { readonly type: "scrub" }
  | { readonly type: "close" };

export type SqliteAnswer =
  | { readonly type: "done" }
  | { readonly type: "contents"; readonly contents: JournalContents }
  | { readonly type: "failed"; readonly message: string };

const THREAD_ENDED: SqliteAnswer = { type: "failed", message: "the journal's thread has ended" };

/**
 * The default journal: the SQLite inside Node, in a worker thread, so that a disk that takes a second to sync never
 * holds up the event loop. WAL with synchronous FULL: an acknowledged batch survives the loss of power.
 */
export class SqliteJournal implements Journal {
  readonly #worker: Worker;
  #turn: Promise<unknown> = Promise.resolve();
  /** Who waits for the worker's next answer. */
  #waiting: ((answer: SqliteAnswer) => void) | undefined;
  #ended = false;

  /** Opens or makes the database file. Fails in words when another process has it, or when it is damaged. */
  static async open(file: string): Promise<SqliteJournal> {
    const worker = new Worker(new URL("./sqlite-worker.ts", import.meta.url), { workerData: { file } });
    const [answer] = (await once(worker, "message")) as [SqliteAnswer];
    if (answer.type === "failed") {
      await worker.terminate();
      throw new JournalRefusal(`${file}: ${answer.message}`);
    }
    return new SqliteJournal(worker);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#worker.unref();
    worker.on("message", (answer: SqliteAnswer) => this.#waiting?.(answer));
    worker.on("exit", () => {
      this.#ended = true;
      this.#waiting?.(THREAD_ENDED);
    });
    worker.on("error", (error) => this.#waiting?.({ type: "failed", message: error.message }));
  }

  async load(): Promise<JournalContents> {
    const answer = await this.#ask({ type: "load" });
    if (answer.type !== "contents") throw new JournalRefusal("the journal gave no contents");
    return answer.contents;
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    await this.#ask({ type: "append", entries });
  }

  /** Writes a consistent copy to `file` while others go on writing. */
  async backup(file: string): Promise<void> {
    await this.#ask({ type: "backup", file });
  }

  /** Makes the file anew without what was deleted and written over in it. Writes wait meanwhile. */
  async scrub(): Promise<void> {
    await this.#ask({ type: "scrub" });
  }

  async close(): Promise<void> {
    await this.#ask({ type: "close" });
    await this.#worker.terminate();
  }

  /** One question at a time. A worker that dies is an operating failure of this and every later call. */
  #ask(request: SqliteRequest): Promise<SqliteAnswer> {
    const asked = this.#turn.then(() => this.#exchange(request));
    this.#turn = asked.catch(() => undefined);
    return asked;
  }

  async #exchange(request: SqliteRequest): Promise<SqliteAnswer> {
    const { promise, resolve } = Promise.withResolvers<SqliteAnswer>();
    if (this.#ended) resolve(THREAD_ENDED);
    this.#waiting = resolve;
    this.#worker.ref();
    this.#worker.postMessage(request);
    const answer = await promise;
    this.#worker.unref();
    if (answer.type === "failed") throw new JournalRefusal(answer.message);
    return answer;
  }
}
