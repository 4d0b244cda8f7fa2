/** Who may lead: one that knows all that was written before. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type JournalEntry, JournalRefusal } from "../../../src/store/journal.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { startSlowProxy } from "../../harness/slow-proxy.ts";
import { identity, leading, never, openEtcdJournal } from "./open-etcd-journal.ts";
import { until } from "./until.ts";

const skip = canRunEtcd() ?? false;
let etcd: Etcd;
before(async () => {
  if (!skip) etcd = await startEtcd();
});
after(() => etcd?.stop());

const row = (revision: number) => ({ kind: "Pod", key: "a", revision, json: String(revision) });

describe("etcd: campaigns", { skip }, () => {
  test("a journal that nobody follows does not lead when others have written since it was loaded, and gives the leadership back", async () => {
    const prefix = "/since/";
    const [a, b] = [
      await openEtcdJournal(etcd.endpoints, { prefix }),
      await openEtcdJournal(etcd.endpoints, { prefix }),
    ];
    await b.load();
    const { leadership } = await leading(a, "a");
    await a.append([row(1)]);
    await leadership.resign();
    await assert.rejects(
      b.campaign(identity("b"), never),
      (error) =>
        error instanceof JournalRefusal && /others have written since this journal was loaded/.test(error.message),
    );
    const told: JournalEntry[] = [];
    b.follow({ batch: (entries) => void told.push(...entries), lost: (reason) => assert.fail(reason) });
    assert.deepEqual(told, [row(1)]);
    await b.campaign(identity("b"), never);
    await b.append([row(2)]);
    await a.close();
    await b.close();
  });

  test("one that led before leads again only when it is told what became of the write that it had under way", async () => {
    const prefix = "/again/";
    const port = Number(new URL(etcd.endpoints[0] ?? "").port);
    const proxies = [await startSlowProxy(port), await startSlowProxy(port)] as const;
    const endpoints = proxies.map((proxy) => `http://127.0.0.1:${proxy.port}`);
    // Of the 6 s: a sign of life every second, and the other address when it is late by 1.2; a write again after 2.
    const { journal, leadership } = await leading(await openEtcdJournal(endpoints, { prefix, ttlMs: 6_000 }));
    try {
      await journal.append([row(1)]);
      proxies[0].delayMs = 60_000;
      await sleep(1_100);
      const fate = journal.append([row(2)]).then(
        () => "written",
        (error: Error) => error.constructor.name,
      );
      const told: string[] = [];
      void fate.then((words) => void told.push(words));
      await sleep(1_300);
      await etcd.ctl("del", `${prefix}leader`);
      await until(() => leadership.lost.aborted, "the word that nobody leads");
      const again = await journal.campaign(identity("only"), never);
      assert.deepEqual(told, ["JournalDoubt"]);
      await again.resign();
    } finally {
      proxies[0].forget();
      await journal.close();
      for (const proxy of proxies) await proxy.close();
    }
  });
});
