/** The thread that owns the database file. Everything here may block: nobody waits on this event loop. */
import { closeSync, fchmodSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import type { JournalContents, JournalEntry } from "../journal.ts";
import type { SqliteAnswer, SqliteRequest } from "./sqlite.ts";

/** 2: rows of sealed kinds are encrypted, which earlier programs would take for broken objects. */
const SCHEMA_VERSION = 2;

interface Opened {
  readonly database: DatabaseSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;
  readonly mark: StatementSync;
}

/** It holds secrets. SQLite gives its other files the same mode. */
function makePrivate(file: string): void {
  const descriptor = openSync(file, "a", 0o600);
  fchmodSync(descriptor, 0o600);
  closeSync(descriptor);
}

function open(file: string): Opened {
  makePrivate(file);
  const database = new DatabaseSync(file);
  // Exclusive: two servers on one file would each believe their own memory.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  // What is deleted or written over is secret, or was: its place in the file is filled with zeros.
  database.exec("PRAGMA secure_delete = ON");
  database.exec("BEGIN IMMEDIATE");
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > SCHEMA_VERSION)
    throw new Error(`written by a newer styr (schema ${version}, this one knows ${SCHEMA_VERSION})`);
  database.exec(`
    CREATE TABLE IF NOT EXISTS rows (kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, json TEXT NOT NULL,
      PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS mark (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
    INSERT OR IGNORE INTO mark VALUES (1, 0);
    PRAGMA user_version = ${SCHEMA_VERSION};
    COMMIT`);
  return {
    database,
    put: database.prepare("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)"),
    remove: database.prepare("DELETE FROM rows WHERE kind = ? AND key = ?"),
    mark: database.prepare("UPDATE mark SET revision = ? WHERE id = 1"),
  };
}

function load({ database }: Opened): JournalContents {
  const rows = database.prepare("SELECT kind, key, revision, json FROM rows ORDER BY kind, key").all();
  const { revision } = database.prepare("SELECT revision FROM mark").get() as { revision: number };
  return { revision, rows: rows as unknown as JournalContents["rows"] };
}

/** All or nothing: any failure (full disk, I/O error) rolls the batch back. */
function append({ database, put, remove, mark }: Opened, entries: readonly JournalEntry[]): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const { kind, key, revision, json } of entries) {
      if (json === undefined) remove.run(kind, key);
      else put.run(kind, key, revision, json);
    }
    mark.run(entries.at(-1)?.revision ?? 0);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function answer(opened: Opened, request: SqliteRequest): SqliteAnswer {
  switch (request.type) {
    case "load":
      return { type: "contents", contents: load(opened) };
    case "append":
      append(opened, request.entries);
      return { type: "done" };
    case "backup":
      // Into an empty file that is there already; one with something in it is refused.
      makePrivate(request.file);
      opened.database.prepare("VACUUM INTO ?").run(request.file);
      return { type: "done" };
    case "scrub":
      opened.database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
      return { type: "done" };
    case "close":
      opened.database.close();
      return { type: "done" };
  }
}

/** SQLite's words, and for the two that people meet, what they mean here. */
function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/locked/.test(message)) return "another styr is running on this state directory";
  if (/full/.test(message)) return "the disk is full";
  return message;
}

function main(): void {
  assert(parentPort, "the journal's thread is started by its journal");
  const port = parentPort;
  let opened: Opened;
  try {
    opened = open((workerData as { file: string }).file);
  } catch (error) {
    port.postMessage({ type: "failed", message: explain(error) } satisfies SqliteAnswer);
    return;
  }
  port.postMessage({ type: "done" } satisfies SqliteAnswer);
  port.on("message", (request: SqliteRequest) => {
    try {
      port.postMessage(answer(opened, request));
    } catch (error) {
      port.postMessage({ type: "failed", message: explain(error) } satisfies SqliteAnswer);
    }
  });
}

main();
