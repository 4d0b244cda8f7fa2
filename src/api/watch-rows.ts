import type { Kind } from "../model/meta.ts";
import type { RowChange } from "../model/reports.ts";
import type { Clock } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";

/** Rows are derived again at most this often, however fast the store changes. */
const PAUSE_MS = 200;

interface WatchOptions<Row> {
  readonly store: Store;
  readonly clock: Clock;
  readonly kinds: readonly Kind[];
  readonly list: () => readonly Row[];
  readonly id: (row: Row) => string;
  readonly signal: AbortSignal;
}

/**
 * Rows as they are, `synced`, then what changes. Derived anew from the whole store each time: rows are cheap, and a
 * missed change cannot leave a wrong row behind.
 */
export async function* watchRows<Row>(options: WatchOptions<Row>): AsyncGenerator<RowChange<Row>, void, undefined> {
  const { store, clock, kinds, signal } = options;
  let known = new Map<string, string>();
  let first = true;
  while (!signal.aborted) {
    const revision = store.revision;
    const began = clock.monotonic();
    const { changes, rows } = difference(known, options.list(), options.id);
    const tookMs = clock.monotonic() - began;
    known = rows;
    yield* changes;
    if (first) yield { type: "synced" };
    first = false;
    await nextChange(store, kinds, revision, signal);
    // Ten times what a listing costs: watchers may take a tenth of the loop at most.
    await clock.sleep(Math.max(PAUSE_MS, tookMs * 10), signal).catch(onlyAbort);
  }
}

function difference<Row>(known: ReadonlyMap<string, string>, list: readonly Row[], idOf: (row: Row) => string) {
  const rows = new Map<string, string>();
  const changes: RowChange<Row>[] = [];
  for (const row of list) {
    const id = idOf(row);
    const text = JSON.stringify(row);
    rows.set(id, text);
    if (known.get(id) !== text) changes.push({ type: "row", id, row });
  }
  for (const id of known.keys()) if (!rows.has(id)) changes.push({ type: "gone", id });
  return { changes, rows };
}

async function nextChange(store: Store, kinds: readonly Kind[], since: number, signal: AbortSignal): Promise<void> {
  const changes = store.watch({ kinds, since, signal });
  try {
    await changes.next();
  } catch (error) {
    // Too old: much has changed, which is all that is asked here.
    if ((error as { reason?: unknown }).reason !== "Expired") throw error;
  } finally {
    await changes.return();
  }
}

function onlyAbort(reason: unknown): void {
  if (reason instanceof Error && reason.name !== "AbortError") throw reason;
}
