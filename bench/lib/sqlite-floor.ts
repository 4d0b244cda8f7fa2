/** SQLite and nothing else, in a thread: transactions of so many rows, one after another, with the journal's settings. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

export interface FloorOrder {
  readonly file: string;
  readonly rows: number;
  readonly runMs: number;
  readonly text: string;
}

export interface FloorResult {
  readonly perSecond: number;
}

function run({ file, rows, runMs, text }: FloorOrder): FloorResult {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(`CREATE TABLE rows (kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (kind, key)) WITHOUT ROWID`);
  const put = database.prepare("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)");
  let written = 0;
  const begun = performance.now();
  while (performance.now() - begun < runMs) {
    database.exec("BEGIN IMMEDIATE");
    for (let row = 0; row < rows; row++) put.run("ConfigMap", `default/w${row}`, written++, text);
    database.exec("COMMIT");
  }
  const perSecond = written / ((performance.now() - begun) / 1000);
  database.close();
  return { perSecond };
}

parentPort?.postMessage(run(workerData as FloorOrder));
