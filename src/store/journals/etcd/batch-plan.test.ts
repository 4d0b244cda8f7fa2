import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { JournalEntry } from "../../journal.ts";
import { type BatchLimits, planBatch } from "./batch-plan.ts";
import { keysBelow } from "./keys.ts";
import { Mirror } from "./mirror.ts";
import { encodeTxn, type KeyValue, type Op } from "./rpc/messages.ts";

const keys = keysBelow("/styrmann/");

/** Applies transactions as etcd does, and shows a mirror what a watch would. */
class TestEtcd {
  readonly values = new Map<string, Uint8Array>();
  readonly mirror = new Mirror(keys);
  #revision = 0;

  run(ops: readonly Op[]) {
    this.#revision++;
    const events = flat(ops).map((op) => {
      const [key, value] =
        "put" in op ? [op.put.key, bytesOf(op.put.value)] : [(op as { remove: { key: string } }).remove.key];
      if (value) this.values.set(key, value);
      else this.values.delete(key);
      const kv: KeyValue = { key, modRevision: this.#revision, value: value ?? new Uint8Array() };
      return { type: value ? ("put" as const) : ("removed" as const), kv };
    });
    assert.equal(new Set(events.map(({ kv }) => kv.key)).size, events.length, "etcd takes a key once per transaction");
    return this.mirror.take(events);
  }
}

const bytesOf = (value: string | Uint8Array) => (typeof value === "string" ? Buffer.from(value) : value);
const flat = (ops: readonly Op[]): Op[] => ops.flatMap((op) => ("all" in op ? flat(op.all) : [op]));

/** checkTxnRequest of etcd: each level within what the one around it left. */
function fits(ops: readonly Op[], most: number): boolean {
  return ops.length <= most && ops.every((op) => !("all" in op) || fits(op.all, most - ops.length));
}

const rowsOf = (etcd: TestEtcd) => [...etcd.values].filter(([key]) => key.startsWith(keys.rows)).sort();

describe("etcd: the plan of a batch", () => {
  const entry = fc.record({
    kind: fc.constantFrom("Pod", "odd/kind"),
    key: fc.constantFrom("a", "n/b", "n/c/d", ""),
    json: fc.option(fc.string({ unit: "binary", maxLength: 60 }), { nil: undefined }),
  });
  const batch = fc
    .array(entry, { minLength: 1, maxLength: 40 })
    .map((drawn) => drawn.map((each, n): JournalEntry => ({ ...each, revision: n + 1 })));
  const limits = fc.record({
    requestBytes: fc.integer({ min: 1_600, max: 6_000 }),
    operations: fc.constantFrom(8, 128),
  });

  test("property: staged or not, the rows come to be the same, a watch tells the whole batch once, and all is within etcd's limits", () => {
    fc.assert(
      fc.property(batch, limits, (entries, small: BatchLimits) => {
        const whole = new TestEtcd();
        for (const ops of transactions(planBatch(entries, 1, keys, { requestBytes: 1e9, operations: 1e9 })))
          whole.run(ops);
        const etcd = new TestEtcd();
        const told = transactions(planBatch(entries, 1, keys, small)).flatMap((ops) => {
          assert.ok(fits(ops, small.operations), "too many operations");
          const bytes = encodeTxn({ unchanged: [{ key: keys.leader, modRevision: 9 }], apply: ops }).byteLength;
          assert.ok(bytes <= small.requestBytes, `a transaction has ${bytes} bytes, ${small.requestBytes} are taken`);
          return etcd.run(ops) ?? [];
        });
        assert.deepEqual(rowsOf(etcd), rowsOf(whole));
        assert.deepEqual(told, [{ term: 1, revision: entries.length, entries }]);
        assert.deepEqual(
          [...etcd.values.keys()].filter((key) => key.startsWith(keys.staged)),
          [],
        );
      }),
      { numRuns: 300 },
    );
  });

  test("ten thousand small rows are one transaction", () => {
    const entries = Array.from({ length: 10_000 }, (_, n) => ({
      kind: "Pod",
      key: `k${n}`,
      revision: n + 1,
      json: "1",
    }));
    const plan = planBatch(entries, 1, keys, { requestBytes: 1_560_000, operations: 128 });
    assert.equal(plan.stage.length, 0);
    assert.ok(fits(plan.commit, 128));
  });
});

function transactions({ stage, commit, settle }: ReturnType<typeof planBatch>): readonly (readonly Op[])[] {
  return [...stage.map(({ key, value }) => [{ put: { key, value } }]), commit, ...settle];
}
