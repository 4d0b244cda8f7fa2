/**
 * How a batch is written. Pure. Nearly every batch is one transaction, its rows and the head; what is too large for that
 * is staged in pieces, made true by the head, and then worked into the rows.
 */
import { type JournalEntry, JournalRefusal } from "../../journal.ts";
import { encodeHead } from "./head.ts";
import { type Keys, rowValue } from "./keys.ts";
import { encodePiece } from "./pieces.ts";
import type { Op } from "./rpc/messages.ts";

/** etcd's defaults are 1,572,864 bytes (--max-request-bytes) and 128 operations (--max-txn-ops). */
export interface BatchLimits {
  readonly requestBytes: number;
  readonly operations: number;
}

export const DEFAULT_LIMITS: BatchLimits = { requestBytes: 1_560_000, operations: 128 };

/** What a row may have: its key, its revision and the request's own words come on top. */
export const maxRowBytes = ({ requestBytes }: BatchLimits) => requestBytes - 20_000;

/** Around each operation in a request, and around each entry in a piece, beside the prefix. */
const AROUND_BYTES = 64;
const REQUEST_BYTES = 1_024;

export interface BatchPlan {
  /** Written first, one transaction each; they mean nothing until `commit`. */
  readonly stage: readonly { readonly key: string; readonly value: Uint8Array }[];
  /** The one transaction after which the batch is there. */
  readonly commit: readonly Op[];
  /** Afterwards, one transaction each, in order; may be done again. */
  readonly settle: readonly (readonly Op[])[];
}

export function planBatch(entries: readonly JournalEntry[], term: number, keys: Keys, limits: BatchLimits): BatchPlan {
  const revision = entries.at(-1)?.revision ?? 0;
  for (const entry of entries) refuseTooLarge(entry, keys, limits);
  const { rows, beside } = rowsOf(entries, keys);
  const head = encodeHead({ term, revision, beside, staged: undefined });
  const bytes = rows.reduce((sum, op) => sum + sizeOfOp(op), REQUEST_BYTES + Buffer.byteLength(head));
  if (bytes <= limits.requestBytes) {
    const commit = [...nest(rows, limits.operations - 1), { put: { key: keys.head, value: head } }];
    return { stage: [], commit, settle: [] };
  }
  return planStaged(entries, term, keys, limits);
}

function planStaged(entries: readonly JournalEntry[], term: number, keys: Keys, limits: BatchLimits): BatchPlan {
  const revision = entries.at(-1)?.revision ?? 0;
  const id = `${term}-${revision}`;
  const parts = partition(entries, keys, limits);
  const head = encodeHead({ term, revision, beside: [], staged: { id, pieces: parts.length } });
  return {
    stage: parts.map((part, n) => ({ key: pieceKey(keys, id, n), value: encodePiece(part) })),
    commit: [{ put: { key: keys.head, value: head } }],
    settle: parts.map((part, n) => settleOps(pieceKey(keys, id, n), part, keys, limits)),
  };
}

/** Works one piece into the rows, and removes it. */
export function settleOps(
  piece: string,
  entries: readonly JournalEntry[],
  keys: Keys,
  limits: BatchLimits,
): readonly Op[] {
  return [...nest(rowsOf(entries, keys).rows, limits.operations - 1), { remove: { key: piece } }];
}

/** With its number in six digits, so that etcd's order is the pieces' order. */
export const pieceKey = (keys: Keys, id: string, n: number) => `${keys.staged}${id}/${String(n).padStart(6, "0")}`;

/** A transaction may name a key once: the last version of each row, and beside them what they do not show. */
function rowsOf(
  entries: readonly JournalEntry[],
  keys: Keys,
): { readonly rows: Op[]; readonly beside: JournalEntry[] } {
  const last = new Map<string, JournalEntry>();
  for (const entry of entries) last.set(keys.row(entry.kind, entry.key), entry);
  const rows = [...last].map(
    ([key, { revision, json }]): Op =>
      json === undefined ? { remove: { key } } : { put: { key, value: rowValue(revision, json) } },
  );
  const shown = new Set([...last.values()].filter(({ json }) => json !== undefined));
  return { rows, beside: entries.filter((entry) => !shown.has(entry)) };
}

function partition(
  entries: readonly JournalEntry[],
  keys: Keys,
  { requestBytes }: BatchLimits,
): readonly JournalEntry[][] {
  const parts: JournalEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = sizeOfEntry(entry, keys);
    if (bytes + size > requestBytes) {
      parts.push([]);
      bytes = REQUEST_BYTES;
    }
    parts.at(-1)?.push(entry);
    bytes += size;
  }
  return parts;
}

/**
 * etcd counts the operations of a transaction by its widest level, and gives each level within what the one around it
 * left (checkTxnRequest in etcd's api/v3rpc): transactions in transactions carry as many as their bytes allow, in one go.
 */
function nest(ops: readonly Op[], most: number): readonly Op[] {
  if (ops.length <= most) return ops;
  const levels = ops.length <= Math.floor(most / 2) ** 2 ? 2 : 3;
  return grouped(ops, Math.floor(most / levels));
}

function grouped(ops: readonly Op[], width: number): readonly Op[] {
  if (ops.length <= width) return ops;
  const groups: Op[] = [];
  for (let at = 0; at < ops.length; at += width) groups.push({ all: ops.slice(at, at + width) });
  return grouped(groups, width);
}

function refuseTooLarge(entry: JournalEntry, keys: Keys, limits: BatchLimits): void {
  const most = limits.requestBytes - REQUEST_BYTES;
  const size = sizeOfEntry(entry, keys);
  if (size <= most) return;
  const { kind, key } = entry;
  throw new JournalRefusal(`${kind} ${key} has ${size} bytes, and etcd takes at most ${most} in one request`);
}

const sizeOfEntry = ({ kind, key, json }: JournalEntry, { prefix }: Keys) =>
  AROUND_BYTES +
  prefix.length +
  kind.length +
  Buffer.byteLength(key) +
  (json === undefined ? 0 : Buffer.byteLength(json));

function sizeOfOp(op: Op): number {
  if ("put" in op) return AROUND_BYTES + Buffer.byteLength(op.put.key) + Buffer.byteLength(op.put.value);
  return "remove" in op ? AROUND_BYTES + Buffer.byteLength(op.remove.key) : 0;
}
