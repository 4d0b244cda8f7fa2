/**
 * What lies where in etcd, all below one prefix:
 *
 *     rows/KIND/KEY    a row: its revision, a line break, its JSON
 *     head             the last batch: term and revision, and what of it the rows cannot tell (head.ts)
 *     staged/ID/N      a piece of a batch that is too large for one transaction (stage.ts)
 *     leader           who leads, in which term; every write compares that it has not changed
 *     pulse            changes as long as the leader lives
 *     compaction       written by an operator: "off" when somebody else compacts this etcd (compaction.ts)
 *     cluster          the format, and the id of the cluster that all this belongs to
 */
import { JournalRefusal } from "../../journal.ts";

export interface Keys {
  readonly prefix: string;
  /** The first key after all of ours: etcd's ranges end before it. */
  readonly end: string;
  readonly head: string;
  readonly leader: string;
  readonly pulse: string;
  readonly cluster: string;
  readonly compaction: string;
  readonly rows: string;
  readonly staged: string;
  row(kind: string, key: string): string;
  /** Undefined for a key that is none of a row. */
  parseRow(key: string): { readonly kind: string; readonly key: string } | undefined;
}

export function keysBelow(given: string): Keys {
  const prefix = given.endsWith("/") ? given : `${given}/`;
  if (prefix === "/") throw new JournalRefusal("the prefix in etcd must not be empty: others may use the same etcd");
  const rows = `${prefix}rows/`;
  return {
    prefix,
    end: endOf(prefix),
    head: `${prefix}head`,
    leader: `${prefix}leader`,
    pulse: `${prefix}pulse`,
    cluster: `${prefix}cluster`,
    compaction: `${prefix}compaction`,
    rows,
    staged: `${prefix}staged/`,
    row: (kind, key) => `${rows}${escapeKind(kind)}/${key}`,
    parseRow: (key) => {
      if (!key.startsWith(rows)) return undefined;
      const slash = key.indexOf("/", rows.length);
      if (slash < 0) return undefined;
      return { kind: decodeURIComponent(key.slice(rows.length, slash)), key: key.slice(slash + 1) };
    },
  };
}

/** Every key below `prefix/` is before `prefix0`: 0 comes after the slash. */
export function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}

/** A kind's name is one segment. */
function escapeKind(kind: string): string {
  return encodeURIComponent(kind);
}

export const rowValue = (revision: number, json: string) => `${revision}\n${json}`;

export function parseRowValue(value: Uint8Array): { readonly revision: number; readonly json: string } {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
  const line = text.indexOf("\n");
  const revision = Number(text.slice(0, line));
  if (line < 1 || !Number.isSafeInteger(revision)) throw new JournalRefusal("a row in etcd is not one of styr's");
  return { revision, json: text.slice(line + 1) };
}

export const textOf = (value: Uint8Array) =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
