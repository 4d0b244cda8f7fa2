import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../../seams/log.ts";
import { ManualClock } from "../../../seams/manual-clock.ts";
import { Appender } from "./appender.ts";
import { DEFAULT_LIMITS } from "./batch-plan.ts";
import { keysBelow } from "./keys.ts";
import type { TxnRequest, TxnResponse } from "./rpc/messages.ts";
import { Term } from "./term.ts";

const [clock, keys] = [new ManualClock(), keysBelow("/x/")];

/** With an etcd that does what it is asked for. */
function appender(limits = DEFAULT_LIMITS) {
  const asked: TxnRequest[] = [];
  const txn = async (request: TxnRequest): Promise<TxnResponse> => {
    asked.push(request);
    return { header: { clusterId: "", revision: 10 + asked.length }, succeeded: true, kvs: [] };
  };
  const common = { client: { txn }, clock, log: silentLog, keys };
  const record = { name: "a", url: "https://a", version: "1", term: 1, claimedMs: 0 };
  const term = new Term({ ...common, ttlMs: 3_000, record, leaderRevision: 3, sinceMs: 0, ended: () => {} });
  return { asked, appender: new Appender({ ...common, limits, term, attemptMs: 1_000, headRevision: 5 }) };
}

const row = (revision: number, bytes: number) => ({ kind: "Pod", key: "k", revision, json: "x".repeat(bytes) });

test("what a leader writes is counted, so that etcd is compacted before it is full", async () => {
  const { appender: leader } = appender();
  assert.equal(leader.written, 0);
  await leader.append([row(1, 5_000)]);
  await leader.append([row(2, 7_000)]);
  assert.ok(leader.written >= 12_000 && leader.written < 13_500, `${leader.written} bytes`);
});

test("every write compares the head before it: one that comes late, after others, does nothing", async () => {
  const { appender: leader, asked } = appender({ requestBytes: 4_000, operations: 128 });
  await leader.append([1, 2].map((revision) => row(revision, 2_000)));
  await leader.settleSoon();
  await leader.append([row(3, 10)]);
  const heads = asked.map(({ unchanged }) => unchanged.find(({ key }) => key === keys.head)?.modRevision);
  // Two pieces, the head, two pieces worked into the rows, and the next batch.
  assert.deepEqual(heads, [5, 5, 5, 13, 13, 13]);
});
