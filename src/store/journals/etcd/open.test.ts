import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SystemClock } from "../../../seams/clock.ts";
import { JournalRefusal } from "../../journal.ts";
import { persistently } from "./open.ts";
import { GRPC, GrpcError } from "./rpc/grpc-error.ts";

const COMPACTED = new GrpcError(GRPC.outOfRange, "etcdserver: mvcc: required revision has been compacted", true);
const clock = new SystemClock();

describe("asking etcd persistently", () => {
  test("what is read page after page is read anew when etcd is compacted meanwhile, also after the patience of one reading", async () => {
    let asked = 0;
    const ask = async () => {
      if (++asked < 3) throw COMPACTED;
      return "everything";
    };
    assert.equal(await persistently(ask, { clock, withinMs: 1 }), "everything");
    assert.equal(asked, 3);
  });

  test("another refusal of etcd is final", async () => {
    const refusal = new GrpcError(GRPC.outOfRange, "etcdserver: mvcc: required revision is a future revision", true);
    await assert.rejects(
      persistently(() => Promise.reject(refusal), { clock, withinMs: 10_000 }),
      (error) => error instanceof JournalRefusal,
    );
  });
});
