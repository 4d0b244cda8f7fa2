/** A batch that is too large for one transaction, cut off at every point of its way: all of it is there, or nothing. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JournalDoubt, type JournalEntry, JournalRefusal } from "../../../src/store/journal.ts";
import { startCutProxy } from "../../harness/cut-proxy.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { leading, openEtcdJournal } from "./open-etcd-journal.ts";
import { until } from "./until.ts";

const skip = canRunEtcd() ?? false;
let etcd: Etcd;
before(async () => {
  if (!skip) etcd = await startEtcd();
});
after(() => etcd?.stop());

/** In several pieces: rows that are there already, new ones, and a removal. */
const limits = { requestBytes: 40_000, operations: 128 };
const BATCH: readonly JournalEntry[] = Array.from({ length: 24 }, (_, n) => ({
  kind: "Pod",
  key: `k${n}`,
  revision: 10 + n,
  json: n === 3 ? undefined : JSON.stringify("x".repeat(9_000)),
}));
const EARLIER: readonly JournalEntry[] = Array.from({ length: 9 }, (_, n) => ({
  kind: "Pod",
  key: `k${n}`,
  revision: 1 + n,
  json: '"before"',
}));
const ROUNDS = 16;
/** All rounds at once are a busy machine: none of them is to lose its term before it has written. */
const TTL_MS = 4_000;

const port = () => Number(new URL(etcd.endpoints[0] ?? "").port);

/** Appends the batch through a proxy that cuts after so many bytes; undefined = never. Gives what the author was told, and how many bytes it took. */
async function appendCutAt(prefix: string, bytes: number | undefined) {
  const proxy = await startCutProxy(port());
  const journal = await openEtcdJournal([`http://127.0.0.1:${proxy.port}`], { prefix, limits, ttlMs: TTL_MS });
  try {
    await leading(journal);
    await journal.append(EARLIER);
    const from = proxy.passed;
    if (bytes !== undefined) proxy.cutAfter(bytes);
    const told = await journal.append(BATCH).then(
      () => "written" as const,
      (error: Error) => error,
    );
    // What it still works into the rows, as far as it is let.
    await (bytes === undefined ? until(() => rowsSettled(prefix), "the rows of the batch") : proxy.cut);
    return { told, took: proxy.passed - from };
  } finally {
    await proxy.close();
    await journal.close();
  }
}

const rowsSettled = async (prefix: string) =>
  (await etcd.ctl("get", `${prefix}staged/`, "--prefix", "--keys-only")).trim() === "";

async function contents(prefix: string) {
  const journal = await openEtcdJournal(etcd.endpoints, { prefix, limits });
  const { rows, revision } = await journal.load();
  await journal.close();
  return { revision, rows: rows.toSorted((a, b) => a.revision - b.revision) };
}

const whole = {
  revision: 33,
  rows: [...EARLIER.filter(({ key }) => !BATCH.some((entry) => entry.key === key)), ...BATCH].filter(
    ({ json }) => json !== undefined,
  ),
};
const nothing = { revision: 9, rows: EARLIER };

async function tornRound(round: number, took: number): Promise<"there" | "not there"> {
  const prefix = `/torn-${round}/`;
  const at = Math.round((took * (round + 0.5)) / ROUNDS);
  const { told } = await appendCutAt(prefix, at);
  const found = await contents(prefix);
  const words = `cut after ${at} of ${took} bytes, told: ${told}`;
  const isThere = found.revision === whole.revision;
  assert.deepEqual(found, isThere ? whole : nothing, words);
  if (told === "written") assert.ok(isThere, words);
  else if (told instanceof JournalRefusal) assert.ok(!isThere, words);
  else assert.ok(told instanceof JournalDoubt, words);
  const next = await openEtcdJournal(etcd.endpoints, { prefix, limits, ttlMs: TTL_MS });
  try {
    await leading(next, "next");
    await next.append([{ kind: "Pod", key: "after", revision: 100, json: "1" }]);
  } finally {
    await next.close();
  }
  assert.ok(await rowsSettled(prefix), `${words}: pieces are left`);
  const { rows } = await contents(prefix);
  assert.deepEqual(rows.slice(0, -1), found.rows, words);
  return isThere ? "there" : "not there";
}

describe("etcd: a batch in pieces", { skip }, () => {
  test("cut at any byte of its way it is there as a whole or not at all, and the next leader leaves no trace of it", async () => {
    const { told, took } = await appendCutAt("/whole/", undefined);
    assert.equal(told, "written");
    assert.deepEqual(await contents("/whole/"), whole);
    const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
    const seen = new Set(await Promise.all(rounds.map((round) => tornRound(round, took))));
    assert.deepEqual([...seen].sort(), ["not there", "there"], "both were met");
  });

  test("a follower hears it as one batch, and one that loads in the middle has it whole", async () => {
    const prefix = "/followed/";
    const follower = await openEtcdJournal(etcd.endpoints, { prefix, limits });
    await follower.load();
    const heard: (readonly JournalEntry[])[] = [];
    follower.follow({ batch: (entries) => heard.push(entries), lost: (reason) => assert.fail(reason) });
    const { journal } = await leading(await openEtcdJournal(etcd.endpoints, { prefix, limits }));
    await journal.append(EARLIER);
    await journal.append(BATCH);
    const between = await contents(prefix);
    assert.deepEqual(between, whole);
    await journal.append([{ kind: "Pod", key: "after", revision: 100, json: "1" }]);
    await until(() => heard.length >= 3, "three batches");
    assert.deepEqual(heard.slice(0, 2), [EARLIER, BATCH]);
    await Promise.all([journal.close(), follower.close()]);
  });
});
