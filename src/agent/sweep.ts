import type { Driver, ObservedRun } from "../drivers/driver.ts";
import type { Log } from "../seams/log.ts";

/** Stops and removes runs, several at a time; every one is tried, and the failures are counted. */
export async function removeRuns(
  driver: Driver,
  runs: readonly ObservedRun[],
  graceMs: number,
  log: Log,
  done: (run: ObservedRun) => void = () => {},
): Promise<number> {
  let failures = 0;
  await eachOf(runs, AT_ONCE, async (run) => {
    try {
      if (run.state === "running") await driver.stop(run.ref, { graceMs });
      await driver.remove(run.ref);
      done(run);
    } catch (error) {
      failures++;
      log.warn("a run could not be removed", { driver: driver.name, id: run.id, why: String(error) });
    }
  });
  return failures;
}

const AT_ONCE = 16;

/** `work` on every item, `most` at a time, in order. */
export async function eachOf<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}
