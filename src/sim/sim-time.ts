/**
 * Virtual time of a whole simulated cluster. It passes only while somebody waits for it: one timer fires, everything
 * that it set in motion settles (promise chains; nothing here does real I/O), then the next one fires.
 */
import { Heap } from "../lib/heap.ts";
import { SimFailure } from "./contract.ts";

/** Of one process, or of one boot of a host. What belongs to a life that is over never happens any more. */
export class Life {
  readonly name: string;
  /** Resolves when it ends. */
  readonly over: Promise<void>;
  readonly #end: () => void;
  #isOver = false;

  constructor(name: string) {
    this.name = name;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#end = resolve;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
    this.#end();
  }
}

/** Decides, when a deadline has come, whether it may fire now; a frozen host keeps what is due. */
export interface Keeper {
  keeps(entry: Entry): boolean;
}

export interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly life: Life;
  readonly keeper: Keeper | undefined;
  fn: (() => void) | undefined;
}

/** After every timer of the same instant. */
const LAST = Number.MAX_SAFE_INTEGER;
/** Immediates queued at once: microtasks are drained between them, and the event loop's own turn is paid once for all. */
const BATCH = 64;
const NOBODY = new Life("the world");

export class SimTime {
  readonly #heap = new Heap<Entry>((a, b) => (a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs));
  readonly #waiters = new Set<(failure: Error) => void>();
  /** The core's own: while a world runs, the global one throws. */
  readonly #later = globalThis.setImmediate;
  #nowMs = 0;
  #order = 0;
  #fired = 0;
  #queued = 0;
  #failure: Error | undefined;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many timers have fired: two runs that are the same agree on it at every moment. */
  get fired(): number {
    return this.#fired;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  schedule(atMs: number, fn: () => void, life: Life = NOBODY, keeper?: Keeper): Entry {
    const entry = { atMs: roundUp(Math.max(atMs, this.#nowMs)), order: this.#order++, life, keeper, fn };
    this.#heap.push(entry);
    return entry;
  }

  /** The first one counts. Whoever waits for time to pass hears of it. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    for (const reject of this.#waiters) reject(this.#failure);
    this.#waiters.clear();
  }

  /** Resolves after everything that is due by then. */
  run(ms: number): Promise<void> {
    return this.drive(
      new Promise((resolve) => {
        this.#heap.push({
          ...{ atMs: roundUp(this.#nowMs + ms), order: LAST, life: NOBODY, keeper: undefined },
          fn: resolve,
        });
      }),
    );
  }

  /** Time passes until `work` has settled. */
  drive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiters.add(reject);
      work.then(resolve, reject).finally(() => this.#waiters.delete(reject));
      this.#pump();
    });
  }

  /** Nothing happens any more. */
  close(): void {
    this.#waiters.clear();
  }

  #pump(): void {
    while (this.#queued < BATCH) {
      this.#queued++;
      this.#later(this.#tick);
    }
  }

  readonly #tick = (): void => {
    this.#queued--;
    if (this.#waiters.size === 0) return;
    this.#fireNext();
    if (this.#queued === 0 && this.#waiters.size > 0) this.#pump();
  };

  #fireNext(): void {
    for (;;) {
      const entry = this.#heap.pop();
      if (entry === undefined) {
        this.fail(new SimFailure("deadlock", "somebody waits, and nothing will ever happen any more"));
        return;
      }
      const { fn } = entry;
      if (fn === undefined || entry.life.isOver || entry.keeper?.keeps(entry)) continue;
      this.#nowMs = entry.atMs;
      entry.fn = undefined;
      this.#fired++;
      try {
        fn();
      } catch (error) {
        this.fail(uncaught(entry.life, error));
      }
      return;
    }
  }
}

export function uncaught(life: Life, error: unknown): Error {
  if (error instanceof SimFailure) return error;
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new SimFailure("uncaught", `${life.name} would have crashed: ${words}`);
}

/** To a multiple of 1/1024 ms: sums and differences of such numbers are exact. Never earlier than asked for. */
function roundUp(ms: number): number {
  return Math.ceil(ms * 1024) / 1024;
}
