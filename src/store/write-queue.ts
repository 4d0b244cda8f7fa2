/**
 * The way of changes to the journal. What transactions changed gathers here; one batch at a time is with the journal, and
 * the next takes what gathered meanwhile (group commit). Nobody is told of a change before the journal has it.
 */
import { ApiError } from "../model/errors.ts";
import type { Log } from "../seams/log.ts";
import { type Journal, JournalDoubt, type JournalEntry, JournalRefusal } from "./journal.ts";
import { Overlay } from "./overlay.ts";
import type { Change } from "./transaction.ts";

/** The changes of one transaction, or a reader who waits for those before it. */
interface Waiting {
  readonly changes: readonly Change[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

export interface WriteQueueOptions {
  readonly journal: Pick<Journal, "append" | "preferredBatchBytes">;
  readonly log: Log;
  readonly revision: number;
  readonly entry: (change: Change) => JournalEntry;
  /** The journal has them: they become visible. Called before anybody's promise resolves. */
  readonly durable: (changes: readonly Change[]) => void;
}

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  /** What the tables will be once everything under way is durable: only the rows that differ. */
  #pending = new Map<string, Overlay>();
  #revision: number;
  #durableRevision: number;
  #gathering: Waiting[] = [];
  /** The batch that the journal has at present. */
  #inFlight: readonly Waiting[] | undefined;
  #writing: Promise<void> | undefined;
  #refusal: string | undefined;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#revision = options.revision;
    this.#durableRevision = options.revision;
  }

  get pending(): ReadonlyMap<string, Overlay> {
    return this.#pending;
  }

  /** Of the last change that gathered, or was durable when nothing has. */
  get revision(): number {
    return this.#revision;
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Everything in it is settled, and the journal has nothing of it in hand. */
  get isIdle(): boolean {
    return this.#writing === undefined;
  }

  /** Resolves once the changes are durable. */
  add(changes: readonly Change[], revision: number, bytes: number): Promise<void> {
    this.#revision = revision;
    for (const change of changes) this.#overlay(change);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#gathering.push({ changes, bytes, resolve, reject });
    this.#writing ??= this.#flush();
    return promise;
  }

  /** Resolves once everything that was added before is durable: a reader may have seen it. */
  afterWhatIsUnderWay(): Promise<void> {
    if (this.#gathering.length > 0) return this.add([], this.#revision, 0);
    if (!this.#inFlight) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#inFlight = [...this.#inFlight, { changes: [], bytes: 0, resolve, reject }];
    return promise;
  }

  /** Changes of another process are durable up to `revision`. */
  advance(revision: number): void {
    this.#revision = revision;
    this.#durableRevision = revision;
  }

  /** This process may no longer write. What gathered is refused; what the journal has in hand it settles itself, soon. */
  depose(why: string): void {
    const gathered = this.#gathering;
    this.#drop();
    const refusal = new ApiError("Unavailable", `this server no longer leads: ${why}; nothing was changed`, RETRY);
    for (const { reject } of gathered) reject(refusal);
  }

  async whenIdle(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #flush(): Promise<void> {
    // One turn of the microtask queue, so that requests handled together are written together.
    await Promise.resolve();
    while (this.#gathering.length > 0) {
      const batch = this.#takeBatch();
      this.#inFlight = batch;
      const changes = batch.flatMap((each) => each.changes);
      try {
        if (changes.length > 0) await this.#options.journal.append(changes.map(this.#options.entry));
      } catch (error) {
        this.#abandon(error as Error, changes.length);
        continue;
      }
      this.#commit(changes);
    }
    this.#writing = undefined;
  }

  /** Whole transactions, up to what the journal likes to take at once. */
  #takeBatch(): readonly Waiting[] {
    const most = this.#options.journal.preferredBatchBytes ?? Number.POSITIVE_INFINITY;
    let bytes = this.#gathering[0]?.bytes ?? 0;
    let count = 1;
    for (; count < this.#gathering.length; count++) {
      bytes += this.#gathering[count]?.bytes ?? 0;
      if (bytes > most) break;
    }
    if (count >= this.#gathering.length) {
      const all = this.#gathering;
      this.#gathering = [];
      return all;
    }
    return this.#gathering.splice(0, count);
  }

  #commit(changes: readonly Change[]): void {
    const settled = this.#inFlight ?? [];
    this.#inFlight = undefined;
    if (changes.length > 0) this.#refusal = undefined;
    for (const { kind, key, revision } of changes) {
      const rows = this.#pending.get(kind.name);
      // A later transaction may have laid another version over this one.
      if (rows?.revisionOf(key) === revision) rows.delete(key);
    }
    const last = changes.at(-1)?.revision;
    if (last !== undefined) this.#durableRevision = last;
    if (this.#revision < this.#durableRevision) this.#revision = this.#durableRevision;
    if (changes.length > 0) this.#options.durable(changes);
    for (const { resolve } of settled) resolve();
  }

  /** Later transactions were built on the lost batch, so they are lost with it: nobody was told that they happened. */
  #abandon(error: Error, count: number): void {
    const [lost, later] = [this.#inFlight ?? [], this.#gathering];
    this.#inFlight = undefined;
    this.#drop();
    this.#refusal = error.message;
    this.#options.log.error("the journal did not take a batch", { error: error.message, changes: count });
    for (const { reject } of lost) reject(inWords(error));
    const refusal = inWords(error instanceof JournalDoubt ? new JournalRefusal(error.message) : error);
    for (const { reject } of later) reject(refusal);
  }

  /** Forgets what is not durable. */
  #drop(): void {
    this.#gathering = [];
    this.#pending = new Map();
    this.#revision = this.#durableRevision;
  }

  #overlay({ kind, key, type, object, revision }: Change): void {
    let rows = this.#pending.get(kind.name);
    if (!rows) {
      rows = new Overlay(kind);
      this.#pending.set(kind.name, rows);
    }
    rows.set(key, type === "removed" ? undefined : object, revision);
  }
}

const RETRY = { retryAfterSeconds: 1 } as const;

function inWords(error: Error): Error {
  if (error instanceof JournalDoubt) {
    const what = `it is not known whether this was written: ${error.message}; look before you repeat it`;
    return new ApiError("Unavailable", what);
  }
  if (!(error instanceof JournalRefusal)) return error;
  return new ApiError(
    "Unavailable",
    `the store cannot write: ${error.message}; nothing was changed, and everything that runs goes on running`,
  );
}
