/** Opens the store, now or when it can be opened: what a node runs never waits for it. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../seams/log.ts";
import { JournalRefusal } from "../store/journal.ts";

const AGAIN_MS = 5_000;

export interface OpenedOrNot<T> {
  readonly opened: T | undefined;
  /** Why not, in words. */
  readonly problem: string;
}

/**
 * One attempt. A store that cannot be opened is an error for whoever starts with nothing; on a node that has been asked to run
 * pods it is not, because those are to run whatever the store does. Another styr on the same directory always is.
 */
export async function tryOpen<T>(open: () => Promise<T>, recordDir: string): Promise<OpenedOrNot<T>> {
  try {
    return { opened: await open(), problem: "" };
  } catch (error) {
    if (!(error instanceof JournalRefusal) || error.message.includes("another styr is running")) throw error;
    if ((await countRecords(recordDir)) === 0) throw error;
    return { opened: undefined, problem: `the store cannot be opened: ${error.message}` };
  }
}

/**
 * A store that is gone while this node was asked to run pods is a loss, not a beginning: an empty one would say that nothing is
 * wanted, and the agent would believe it.
 */
export async function refuseLostStore(stateDir: string, recordDir: string): Promise<void> {
  const file = join(stateDir, "store.db");
  if (existsSync(file)) return;
  const pods = await countRecords(recordDir);
  if (pods === 0) return;
  throw new JournalRefusal(
    `${file} is gone, and this node was asked to run ${pods} ${pods === 1 ? "pod" : "pods"}. Put it back from a backup; or begin ` +
      "with an empty one, which stops them: styr up --new-store",
  );
}

/** Tries until it can be opened; undefined when `signal` aborts first. */
export async function openWhenPossible<T>(
  open: () => Promise<T>,
  log: Log,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof JournalRefusal)) throw error;
      log.debug("the store cannot be opened yet", { why: error.message });
    }
  }
  return undefined;
}

async function countRecords(directory: string): Promise<number> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith(".json")).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
