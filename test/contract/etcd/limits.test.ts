/** What etcd takes at once, and how much of it there is. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type JournalEntry, JournalRefusal } from "../../../src/store/journal.ts";
import { startCutProxy } from "../../harness/cut-proxy.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { leading, openEtcdJournal } from "./open-etcd-journal.ts";
import { until } from "./until.ts";

const skip = canRunEtcd() ?? false;
let etcd: Etcd;
before(async () => {
  if (!skip) etcd = await startEtcd({ flags: ["--quota-backend-bytes", String(48 * 1024 * 1024)] });
});
after(() => etcd?.stop());

const rows = (count: number, bytes: number, from = 1): readonly JournalEntry[] =>
  Array.from({ length: count }, (_, n) => ({
    kind: "Pod",
    key: `k${n}`,
    revision: from + n,
    json: JSON.stringify("x".repeat(bytes)),
  }));

async function loaded(prefix: string) {
  const journal = await openEtcdJournal(etcd.endpoints, { prefix });
  const contents = await journal.load();
  await journal.close();
  return contents;
}

describe("etcd: limits", { skip }, () => {
  for (const [what, count, bytes] of [
    ["10,000 rows of a few bytes", 10_000, 2],
    ["10,000 rows of 500 bytes", 10_000, 500],
    ["three rows of 1.4 MiB", 3, 1_468_000],
  ] as const) {
    test(`a batch of ${what} is written`, async () => {
      const prefix = `/batch-${count}-${bytes}/`;
      const { journal } = await leading(await openEtcdJournal(etcd.endpoints, { prefix, ttlMs: 6_000 }));
      await journal.append(rows(count, bytes));
      await journal.close();
      const contents = await loaded(prefix);
      assert.equal(contents.rows.length, count);
      assert.equal(contents.revision, count);
      await etcd.ctl("del", prefix, "--prefix");
    });
  }

  test("a row that no request can carry is refused with its size, and the next batch is written", async () => {
    const prefix = "/too-large/";
    const { journal, leadership } = await leading(await openEtcdJournal(etcd.endpoints, { prefix }));
    await assert.rejects(journal.append(rows(1, 1_600_000)), (error: Error) => {
      return error instanceof JournalRefusal && /Pod k0 has 16\d{5} bytes, and etcd takes at most/.test(error.message);
    });
    await journal.append(rows(1, 10));
    assert.equal(leadership.lost.aborted, false);
    await journal.close();
  });

  test("out of space: writes are refused with what to do, reads and the leadership go on; with space writes go on", async () => {
    const prefix = "/full/";
    const journal = await openEtcdJournal(etcd.endpoints, { prefix, ttlMs: 1_500, compactEveryMs: 0 });
    const { leadership } = await leading(journal);
    const other = await openEtcdJournal(etcd.endpoints, { prefix, ttlMs: 1_500 });
    await other.load();
    other.follow({ batch: () => {}, lost: (reason) => assert.fail(reason) });
    let hasOtherWon = false;
    const campaign = other.campaign({ name: "other", url: "", version: "" }, AbortSignal.timeout(60_000));
    campaign.then(
      () => {
        hasOtherWon = true;
      },
      () => undefined,
    );
    const acknowledged = new Set<number>();
    let refusal: Error | undefined;
    let revision = 0;
    while (!refusal && revision < 100) {
      revision++;
      await journal.append([{ kind: "Pod", key: "k", revision, json: JSON.stringify("x".repeat(1_000_000)) }]).then(
        () => acknowledged.add(revision),
        (error: Error) => {
          refusal = error;
        },
      );
    }
    assert.ok(refusal instanceof JournalRefusal, String(refusal));
    assert.match(refusal.message, /etcd is out of space: compact and defragment it.*alarm disarm/);
    const contents = await loaded(prefix);
    assert.equal(contents.revision, Math.max(...acknowledged), "refused is not written, acknowledged is");
    // Longer than the lease: without pulses that are written the leadership is proved by reading.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(leadership.lost.aborted, false, String(leadership.lost.reason));
    assert.equal(hasOtherWon, false);
    const text = await etcd.ctl("endpoint", "status", "-w", "json");
    const [status] = JSON.parse(text) as { Status: { header: { revision: number } } }[];
    await etcd.ctl("compact", String(status?.Status.header.revision), "--physical");
    await etcd.ctl("defrag");
    await etcd.ctl("alarm", "disarm");
    await until(
      () =>
        journal.append([{ kind: "Pod", key: "again", revision: contents.revision + 1, json: "1" }]).then(
          () => true,
          () => false,
        ),
      "a write after there is space again",
    );
    assert.equal(hasOtherWon, false);
    await journal.close();
    await campaign;
    await other.close();
  });

  test("a follower that was away for longer than the history is told so, and a new one has everything", async () => {
    const prefix = "/compacted/";
    const { journal } = await leading(await openEtcdJournal(etcd.endpoints, { prefix, compactEveryMs: 100 }));
    await journal.append(rows(1, 10));
    const proxy = await startCutProxy(Number(new URL(etcd.endpoints[0] ?? "").port));
    const away = await openEtcdJournal([`http://127.0.0.1:${proxy.port}`], { prefix });
    await away.load();
    const lost: string[] = [];
    away.follow({ batch: () => {}, lost: (reason) => lost.push(reason) });
    proxy.pause();
    for (let revision = 2; revision < 20; revision++) {
      await journal.append([{ kind: "Pod", key: "k", revision, json: String(revision) }]);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const { port } = proxy;
    await proxy.close();
    const again = await startCutProxy(Number(new URL(etcd.endpoints[0] ?? "").port), port);
    await until(() => lost.length > 0, "that the follower is told");
    assert.match(lost[0] ?? "", /compacted its history/);
    await assert.rejects(
      away.campaign({ name: "away", url: "", version: "" }, AbortSignal.timeout(5_000)),
      /compacted/,
    );
    assert.equal((await loaded(prefix)).revision, 19);
    await Promise.all([journal.close(), away.close()]);
    await again.close();
  });

  test("the leader compacts what is old, unless an operator has written that it is not to", async () => {
    const prefix = "/compaction/";
    const oldest = async () => {
      const at = (revision: number) => etcd.ctl("get", `${prefix}head`, "--rev", String(revision));
      return at(first).then(
        () => "there" as const,
        () => "forgotten" as const,
      );
    };
    const text = await etcd.ctl("put", `${prefix}compaction`, "off", "-w", "json");
    const first = (JSON.parse(text) as { header: { revision: number } }).header.revision;
    const journal = await openEtcdJournal(etcd.endpoints, { prefix, compactEveryMs: 50 });
    await leading(journal);
    const write = async (from: number, to: number) => {
      for (let revision = from; revision < to; revision++) {
        await journal.append([{ kind: "Pod", key: "k", revision, json: "1" }]);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await write(1, 20);
    assert.equal(await oldest(), "there");
    await etcd.ctl("del", `${prefix}compaction`);
    await write(20, 25);
    await until(async () => (await oldest()) === "forgotten", "that old revisions are forgotten");
    await journal.close();
  });
});
