import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silentLog } from "../../../seams/log.ts";
import { ManualClock } from "../../../seams/manual-clock.ts";
import { campaign, type Won } from "./campaign.ts";
import { keysBelow } from "./keys.ts";
import { GRPC, GrpcError } from "./rpc/grpc-error.ts";
import type { KeyValue, TxnRequest, TxnResponse } from "./rpc/messages.ts";
import { Sight } from "./sight.ts";

const TTL_MS = 3_000;
const keys = keysBelow("/x/");
const me = { name: "a", url: "https://a", version: "1" };

const NO_ANSWER = new GrpcError(GRPC.deadlineExceeded, "it did not answer", false);
const FULL = new GrpcError(GRPC.resourceExhausted, "etcdserver: mvcc: database space exceeded", true);

const answer = (succeeded: boolean, revision: number, kvs: readonly KeyValue[] = []): TxnResponse => ({
  header: { clusterId: "", revision },
  succeeded,
  kvs,
});

/** What is asked of etcd, by the first key that it writes; `tell` answers the n-th. */
class Candidate {
  readonly clock = new ManualClock();
  readonly sight = new Sight(this.clock, TTL_MS);
  readonly asked: { readonly key: string; readonly value: Uint8Array | string; readonly atMs: number }[] = [];
  won: Won | undefined;

  run(tell: (nth: number, request: TxnRequest) => TxnResponse): Promise<unknown> {
    const txn = async (request: TxnRequest) => {
      const [op] = request.apply;
      assert.ok(op && "put" in op);
      this.asked.push({ ...op.put, atMs: this.clock.monotonic() });
      return tell(this.asked.length, request);
    };
    const cluster = { cluster: () => ({ value: "{}", revision: 1 }), sawCluster: () => {} };
    const common = { client: { txn }, clock: this.clock, sight: this.sight, log: silentLog, keys, ttlMs: TTL_MS };
    return campaign({ ...common, ...cluster }, me, new AbortController().signal).then((won) => {
      this.won = won;
    });
  }
}

function fail(error: Error): never {
  throw error;
}

describe("a campaign", () => {
  test("whose answer was lost, and which was the faster one all the same, is won as of when it was written", async () => {
    const candidate = new Candidate();
    const { clock, asked } = candidate;
    void candidate.run((nth) => {
      if (nth === 1) return fail(NO_ANSWER);
      const mine = Buffer.from(String(asked[0]?.value));
      return answer(false, 9, [{ key: keys.leader, modRevision: 7, value: mine }]);
    });
    await clock.advance(1_000);
    assert.equal(candidate.won?.revision, 7);
    assert.equal(candidate.won?.sinceMs, 0);
    assert.equal(JSON.stringify(candidate.won?.record), asked[0]?.value);
  });

  test("after a full etcd has taken a write again it waits a whole lease: the leader's signs of life were refused, too", async () => {
    const candidate = new Candidate();
    const { clock, sight, asked } = candidate;
    sight.sawLeader({ name: "b", url: "https://b", version: "1", term: 1, claimedMs: 0 }, 5);
    const isFull = () => clock.monotonic() < 2 * TTL_MS;
    void candidate.run(() => (isFull() ? fail(FULL) : answer(true, 8)));
    await clock.advance(5 * TTL_MS);
    assert.ok(candidate.won, "in the end it leads");
    const claims = asked.filter(({ key }) => key === keys.leader);
    const lastProbe = asked.findLast(({ key }) => key === `${keys.prefix}probe`);
    assert.equal(
      claims.length,
      2,
      "between the claim that was refused and the one that was not it asks for nothing but a write",
    );
    assert.ok(lastProbe && lastProbe.atMs >= 2 * TTL_MS);
    assert.ok((claims[1]?.atMs ?? 0) - lastProbe.atMs >= TTL_MS);
  });
});
