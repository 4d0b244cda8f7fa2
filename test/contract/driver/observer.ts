/** Watches a driver and waits for what it must report; on failure says what came instead. */
import type { Driver, ObservedRun, RunRef } from "../../../src/drivers/driver.ts";

const DEADLINE_MS = 20_000;

export class Observer {
  readonly changes: (ObservedRun | "lost")[] = [];
  readonly #abort = new AbortController();
  readonly #waiters = new Set<() => void>();

  /** Ends with the test, however that ends. */
  constructor(driver: Driver, test: { after(fn: () => void): void }) {
    test.after(() => this.#abort.abort());
    driver.watch((change) => {
      this.changes.push(change);
      for (const waiter of this.#waiters) waiter();
    }, this.#abort.signal);
  }

  sees(ref: RunRef, state: ObservedRun["state"]): Promise<ObservedRun> {
    return this.#until(`${ref.container} ${state}`, () =>
      this.changes.findLast(
        (change): change is ObservedRun =>
          change !== "lost" && change.state === state && JSON.stringify(change.ref) === JSON.stringify(ref),
      ),
    );
  }

  /** A "lost" after the first `after` changes. */
  async loses(after = 0): Promise<void> {
    await this.#until("lost", () => this.changes.slice(after).find((change) => change === "lost"));
  }

  #until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(look);
        reject(new Error(`never reported: ${what}; reported: ${JSON.stringify(this.changes)}`));
      }, DEADLINE_MS);
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(found);
      };
      this.#waiters.add(look);
      look();
    });
  }
}

/** Waits for a condition, with a deadline that says what was missing. */
export async function eventually<T>(
  what: string,
  find: () => Promise<T | undefined>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`within ${deadlineMs} ms there was never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
