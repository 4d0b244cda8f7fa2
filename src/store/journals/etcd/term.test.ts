import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silentLog } from "../../../seams/log.ts";
import { ManualClock } from "../../../seams/manual-clock.ts";
import { keysBelow } from "./keys.ts";
import { GRPC, GrpcError } from "./rpc/grpc-error.ts";
import type { TxnResponse } from "./rpc/messages.ts";
import { Term } from "./term.ts";

const TTL_MS = 3_000;
const RENEWED: TxnResponse = { header: { clusterId: "", revision: 1 }, succeeded: true, kvs: [] };

/** Leads since now, with an etcd that answers as it is told. */
function lead(clock: ManualClock, txn: () => Promise<TxnResponse>): Term {
  const record = { name: "a", url: "https://a", version: "1", term: 1, claimedMs: 0 };
  const common = { clock, log: silentLog, keys: keysBelow("/x/"), ttlMs: TTL_MS, client: { txn } };
  const term = new Term({ ...common, record, leaderRevision: 1, sinceMs: clock.monotonic(), ended: () => {} });
  term.start();
  return term;
}

const after = (clock: ManualClock, ms: number) => () => clock.sleep(ms).then(() => RENEWED);

describe("how long a leader leads", () => {
  test("without an answer it gives up before another may take over, with a tenth of the lease to spare", async () => {
    const clock = new ManualClock();
    const term = lead(clock, () => new Promise(() => {}));
    await clock.advance(TTL_MS * 0.89);
    assert.equal(term.isValid, true);
    await clock.advance(TTL_MS * 0.02);
    assert.equal(term.lost.aborted, true);
    assert.match(String(term.lost.reason), /could not be renewed in time: etcd did not answer/);
  });

  test("it leads on while answers take most of the lease", async () => {
    const clock = new ManualClock();
    const term = lead(clock, after(clock, TTL_MS * 0.7));
    await clock.advance(TTL_MS * 10);
    assert.equal(term.isValid, true);
  });

  test("an answer counts from when it was asked for, not from when it came", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const term = lead(clock, () => (++asked === 1 ? after(clock, TTL_MS * 0.8)() : new Promise(() => {})));
    await clock.advance(TTL_MS * 0.91);
    assert.equal(term.lost.aborted, true);
  });

  test("a sign of life that fails is followed by the next at once, one that is late in its time", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const failing = () => Promise.reject(new GrpcError(GRPC.unavailable, "connection refused", false));
    lead(clock, () => (++asked < 5 ? failing() : new Promise(() => {})));
    await clock.advance(205);
    assert.equal(asked, 5);
    await clock.advance(TTL_MS / 6 - 10);
    assert.equal(asked, 5);
    await clock.advance(20);
    assert.equal(asked, 6);
  });
});
