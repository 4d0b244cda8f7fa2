/** What is on disk after a kill, read with SQLite alone: nothing of ours stands between the file and the checks. */
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Ledger } from "./ledger.ts";

interface Row {
  readonly kind: string;
  readonly key: string;
  readonly revision: number;
  readonly json: string;
}

// biome-ignore lint/suspicious/noExplicitAny: rows of every kind, looked at from outside.
type Stored = any;

/** A copy is read, so that the next process finds the files as the kill left them. */
function rowsOf(folder: string, scratch: string): { readonly rows: readonly Row[]; readonly mark: number } {
  for (const name of ["store.db", "store.db-wal"]) {
    if (existsSync(join(folder, name))) cpSync(join(folder, name), join(scratch, name));
  }
  const database = new DatabaseSync(join(scratch, "store.db"));
  try {
    const { integrity_check: integrity } = database.prepare("PRAGMA integrity_check").get() as Stored;
    if (integrity !== "ok") throw new Error(`the database is damaged: ${integrity}`);
    const { count } = database
      .prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'rows'")
      .get() as Stored;
    if (count === 0) return { rows: [], mark: 0 };
    const rows = database.prepare("SELECT kind, key, revision, json FROM rows").all() as unknown as Row[];
    const { revision } = database.prepare("SELECT revision FROM mark").get() as Stored;
    return { rows, mark: revision };
  } finally {
    database.close();
  }
}

/** Checks a folder after a kill against what its process said. Findings go to the ledger's problems. */
export function checkDisk(folder: string, scratch: string, ledger: Ledger): void {
  const { rows, mark } = rowsOf(folder, scratch);
  const objects = rows.map((row) => ({ ...row, object: parse(row, ledger) }));
  const byUid = new Map<string, string>();
  for (const { kind, key, revision, object } of objects) {
    if (revision > mark) ledger.problems.push(`${kind} ${key} has revision ${revision}, beyond the mark ${mark}`);
    const { uid, resourceVersion } = object.metadata;
    if (resourceVersion !== String(revision))
      ledger.problems.push(`${kind} ${key}: row ${revision}, object ${resourceVersion}`);
    const other = byUid.get(uid);
    if (other !== undefined) ledger.problems.push(`${kind} ${key} and ${other} have one uid`);
    byUid.set(uid, `${kind} ${key}`);
  }
  checkPairs(objects, ledger);
  checkCopies(objects, ledger);
  ledger.compare(new Map(objects.flatMap(({ kind, object }) => entryOf(kind, object))));
}

interface Found extends Row {
  readonly object: Stored;
}

function parse(row: Row, ledger: Ledger): Stored {
  try {
    return JSON.parse(row.json);
  } catch (error) {
    ledger.problems.push(`${row.kind} ${row.key} is not JSON: ${(error as Error).message}`);
    return { metadata: {} };
  }
}

/** The entry of the ledger that a row stands for, with its value there. */
function entryOf(kind: string, { metadata, spec, data }: Stored): readonly (readonly [string, string])[] {
  if (metadata.deletionTimestamp !== undefined) return [];
  const token = metadata.annotations?.token;
  switch (kind) {
    case "Pod":
      return token === undefined ? [] : [[`pod ${metadata.name}`, token]];
    case "ReplicationController":
      return [[`rc ${metadata.name}`, `${token} ${spec.replicas}`]];
    case "App":
      return [[`app ${spec.definition.id}`, String(spec.definition.instances)]];
    case "Unit":
      return [[`unit ${metadata.name}`, `${spec.options[0].value} ${spec.desiredState}`]];
    case "ConfigMap":
      return metadata.name.endsWith("-left") ? [[`pair ${metadata.name.slice(0, -5)}`, data.token]] : [];
    default:
      return [];
  }
}

/** Both halves were written in one transaction, so both are there and say the same. */
function checkPairs(objects: readonly Found[], ledger: Ledger): void {
  const tokens = new Map<string, string>();
  for (const { kind, object } of objects) {
    if (kind === "ConfigMap") tokens.set(object.metadata.name, object.data.token);
  }
  for (const name of new Set([...tokens.keys()].map((half) => half.replace(/-(?:left|right)$/, "")))) {
    const [left, right] = [tokens.get(`${name}-left`), tokens.get(`${name}-right`)];
    if (left !== right) ledger.problems.push(`${name} is half written: left ${left}, right ${right}`);
  }
}

/** Nobody ever has more live pods than the most that was asked for since all had what was wanted. */
function checkCopies(objects: readonly Found[], ledger: Ledger): void {
  const live = new Map<string, number>();
  for (const { kind, object } of objects) {
    const isLive = !["Succeeded", "Failed"].includes(object.status?.phase) && !object.metadata.deletionTimestamp;
    if (kind !== "Pod" || !isLive) continue;
    for (const { uid } of object.metadata.ownerReferences ?? []) live.set(uid, (live.get(uid) ?? 0) + 1);
  }
  for (const { kind, object } of objects) {
    const key = { ReplicationController: `rc ${object.metadata.name}`, App: `app ${object.spec?.definition?.id}` }[
      kind
    ];
    const most = kind === "Unit" ? 1 : key === undefined ? undefined : mostAsked(ledger.asked(key));
    const count = live.get(object.metadata.uid) ?? 0;
    if (most !== undefined && count > most) {
      ledger.problems.push(`${kind} ${object.metadata.name} has ${count} live pods; at most ${most} were asked for`);
    }
  }
}

function mostAsked(values: Iterable<string | null>): number {
  return Math.max(0, ...[...values].map((value) => Number(value?.split(" ").at(-1) ?? 0)));
}
