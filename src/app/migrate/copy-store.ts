import { createHash } from "node:crypto";
import { keyrings } from "../../model/keyring.ts";
import type { JournalContents } from "../../store/journal.ts";
import { numbered, readSealed } from "../../store/sealed/sealed-row.ts";
import { CopyRefusal } from "./copy-refusal.ts";
import type { OpenedStore } from "./opened-store.ts";
import { RowWriter } from "./row-writer.ts";

type Row = JournalContents["rows"][number];

/**
 * Every row with its revision, in their order, and the keyring after them: a store of etcd without one is known to be
 * unfinished. What an earlier attempt left is removed first; the numbers go on from there, then.
 */
export async function copyStore(
  target: OpenedStore,
  source: JournalContents,
  progress: (rows: number) => void,
): Promise<void> {
  const writer = new RowWriter(target.journal, progress);
  let removed = target.contents.revision;
  for (const { kind, key } of target.contents.rows)
    await writer.put({ kind, key, revision: ++removed, json: undefined });
  const renumbered = (row: Row): Row => {
    const revision = row.revision + removed;
    return removed === 0
      ? row
      : { ...row, revision, json: readSealed(row.json) ? row.json : numbered(row.json, revision) };
  };
  for (const row of source.rows.toSorted((a, b) => a.revision - b.revision))
    if (row.kind !== keyrings.name) await writer.put(renumbered(row));
  const keyring = keyringOf(source);
  const last = source.revision + removed + 1;
  writer.add({ ...keyring, revision: last, json: numbered(keyring.json, last) });
  await writer.flush();
}

/** Throws CopyRefusal when the two do not hold the same. */
export function compareStores(source: readonly Row[], target: readonly Row[]): void {
  if (source.length === target.length && digestOf(source) === digestOf(target)) return;
  throw new CopyRefusal(
    `what was written (${target.length} objects) is not what was read (${source.length}); the old store goes on being the one that counts. Run the same command again`,
  );
}

function keyringOf({ rows }: JournalContents): Row {
  const keyring = rows.find(({ kind }) => kind === keyrings.name);
  if (!keyring)
    throw new CopyRefusal("the store has no keyring: start its server once, stop it, and run the same command again");
  return keyring;
}

/** Of what the rows hold, whatever their numbers are. */
function digestOf(rows: readonly Row[]): string {
  const hash = createHash("sha256");
  const sorted = rows.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  for (const row of sorted) hash.update(`${idOf(row)}\n${readSealed(row.json) ? row.json : numbered(row.json, 0)}\n`);
  return hash.digest("hex");
}

function idOf({ kind, key }: Row): string {
  return `${kind}\n${key}`;
}
