/** Everything below the prefix, as it was at one revision of etcd. */

import type { JournalContents } from "../../journal.ts";
import type { EtcdClient } from "./client.ts";
import { decodeHead, type Head, NO_HEAD } from "./head.ts";
import { type Keys, parseRowValue, textOf } from "./keys.ts";
import type { Mirror } from "./mirror.ts";
import type { KeyValue, RangeResponse } from "./rpc/messages.ts";
import type { LeaderRecord } from "./sight.ts";

export interface Snapshot {
  readonly revision: number;
  readonly clusterId: string;
  readonly rows: JournalContents["rows"];
  readonly head: Head;
  readonly headRevision: number;
  readonly pieces: readonly KeyValue[];
  readonly leader: { readonly record: LeaderRecord; readonly revision: number } | undefined;
  readonly pulseRevision: number;
  readonly cluster: { readonly value: string; readonly revision: number } | undefined;
}

type Row = JournalContents["rows"][number];

const FIRST_PAGE = 1_000;
const PAGE_BYTES = 24 * 1024 * 1024;
const PAGE_TIMEOUT_MS = 30_000;

/** Page after page at the revision of the first, which the majority has confirmed. */
export async function readSnapshot(client: EtcdClient, keys: Keys): Promise<Snapshot> {
  const rows: Row[] = [];
  const others: KeyValue[] = [];
  let [key, limit] = [keys.prefix, FIRST_PAGE];
  let first: RangeResponse["header"] | undefined;
  for (;;) {
    const at = first === undefined ? {} : { revision: first.revision };
    const { header, kvs, more } = await client.range({ key, end: keys.end, limit, ...at }, PAGE_TIMEOUT_MS);
    first ??= header;
    for (const kv of kvs) sort(kv, keys, rows, others);
    const last = kvs.at(-1);
    if (!more || !last) return snapshotOf(first, rows, others, keys);
    key = `${last.key}\0`;
    limit = nextPage(kvs);
  }
}

function sort(kv: KeyValue, keys: Keys, rows: Row[], others: KeyValue[]): void {
  const place = keys.parseRow(kv.key);
  if (place) rows.push({ ...place, ...parseRowValue(kv.value) });
  else others.push(kv);
}

/** etcd looks at every key for every page: as few of them as memory allows. */
function nextPage(kvs: readonly KeyValue[]): number {
  const bytes = kvs.reduce((sum, { value }) => sum + value.byteLength, 1);
  return Math.min(20_000, Math.max(16, Math.floor((PAGE_BYTES / bytes) * kvs.length)));
}

function snapshotOf(
  header: RangeResponse["header"],
  rows: readonly Row[],
  others: readonly KeyValue[],
  keys: Keys,
): Snapshot {
  const find = (key: string) => others.find((kv) => kv.key === key);
  const [head, leader, cluster] = [find(keys.head), find(keys.leader), find(keys.cluster)];
  return {
    revision: header.revision,
    clusterId: header.clusterId,
    rows,
    head: head ? decodeHead(textOf(head.value)) : NO_HEAD,
    headRevision: head?.modRevision ?? 0,
    pieces: others.filter(({ key }) => key.startsWith(keys.staged)),
    leader: leader && { record: JSON.parse(textOf(leader.value)) as LeaderRecord, revision: leader.modRevision },
    pulseRevision: find(keys.pulse)?.modRevision ?? 0,
    cluster: cluster && { value: textOf(cluster.value), revision: cluster.modRevision },
  };
}

/** A staged batch counts before it is worked into the rows. */
export function withStaged({ rows, head }: Snapshot, mirror: Mirror, keys: Keys): JournalContents["rows"] {
  const staged = head.staged ? mirror.staged(head.staged.id) : [];
  if (staged.length === 0) return rows;
  const byKey = new Map(rows.map((row) => [keys.row(row.kind, row.key), row]));
  for (const { kind, key, revision, json } of staged) {
    if (json === undefined) byKey.delete(keys.row(kind, key));
    else byKey.set(keys.row(kind, key), { kind, key, revision, json });
  }
  return [...byKey.values()];
}
