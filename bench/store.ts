/**
 * Durable transactions per second through the store with 1, 16 and 256 writers, against the journal's own floor in the same run: the
 * same SQLite with the same settings in a thread of its own, given batches of as many rows as there are writers and asked for nothing else.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { type ConfigMap, configMaps } from "../src/model/config-map.ts";
import { SystemClock } from "../src/seams/clock.ts";
import { silentLog } from "../src/seams/log.ts";
import { SystemRandom } from "../src/seams/random.ts";
import type { Journal, JournalEntry } from "../src/store/journal.ts";
import { SqliteJournal } from "../src/store/journals/sqlite.ts";
import { Store } from "../src/store/store.ts";
import type { FloorOrder, FloorResult } from "./lib/sqlite-floor.ts";
import { printTable } from "./lib/table.ts";

const WRITERS = [1, 16, 256];
const RUN_MS = 2000;
const ROUNDS = 3;
const TEXT = "x".repeat(400);

interface Measured {
  readonly perSecond: number;
  readonly batch: number;
  readonly lagMs: number;
}

async function throughStore(folder: string, writers: number): Promise<Measured> {
  const journal = await SqliteJournal.open(join(folder, `store-${writers}-${performance.now()}.db`));
  let batches = 0;
  const counting: Journal = {
    load: () => journal.load(),
    close: () => journal.close(),
    append: (entries: readonly JournalEntry[]) => {
      batches++;
      return journal.append(entries);
    },
  };
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
  const store = await Store.open({ kinds: [configMaps], journal: counting, ...parts });
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  let done = 0;
  const until = performance.now() + RUN_MS;
  const write = async (writer: number) => {
    for (let at = 0; performance.now() < until; at++) {
      await store.update((tx) => put(tx.get(configMaps, `default/w${writer}`), writer, at, tx));
      done++;
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  const perSecond = done / ((performance.now() - begun) / 1000);
  lag.disable();
  await store.close();
  return { perSecond, batch: done / batches, lagMs: Math.max(0, lag.percentile(99) / 1e6 - 5) };
}

function put(
  before: ConfigMap | undefined,
  writer: number,
  at: number,
  tx: Parameters<Parameters<Store["update"]>[0]>[0],
): void {
  const data = { text: TEXT, at: String(at) };
  if (before) tx.update(configMaps, { ...before, data });
  else {
    const metadata = { name: `w${writer}`, namespace: "default" };
    tx.create<ConfigMap>(configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
  }
}

/** Rows per second of SQLite alone. */
async function floor(folder: string, writers: number): Promise<number> {
  const file = join(folder, `floor-${writers}-${performance.now()}.db`);
  const order: FloorOrder = {
    file,
    rows: writers,
    runMs: RUN_MS,
    text: JSON.stringify({ text: TEXT, room: "y".repeat(200) }),
  };
  const worker = new Worker(new URL("./lib/sqlite-floor.ts", import.meta.url), { workerData: order });
  const [{ perSecond }] = (await once(worker, "message")) as [FloorResult];
  await worker.terminate();
  return perSecond;
}

export async function benchStore(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "styr-bench-"));
  try {
    const rows = [];
    for (const writers of WRITERS) rows.push(await row(folder, writers));
    const columns = [
      "writers",
      "SQLite alone, rows/s",
      "store, transactions/s",
      "ratio",
      "transactions per batch",
      "p99 lag, ms",
    ];
    printTable(`Durable transactions, best of ${ROUNDS} turns each`, columns, rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Turns alternate, so that what else the machine does hits both alike. */
async function row(folder: string, writers: number): Promise<readonly (string | number)[]> {
  let alone = 0;
  let best: Measured = { perSecond: 0, batch: 0, lagMs: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    alone = Math.max(alone, await floor(folder, writers));
    const measured = await throughStore(folder, writers);
    if (measured.perSecond > best.perSecond) best = measured;
  }
  const rates = [Math.round(alone), Math.round(best.perSecond)];
  return [String(writers), ...rates, (best.perSecond / alone).toFixed(2), best.batch.toFixed(1), best.lagMs.toFixed(1)];
}

if (import.meta.main) await benchStore();
