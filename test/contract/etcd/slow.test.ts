/** An etcd that takes longer to answer than a leader waits before it asks again. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Log, silentLog } from "../../../src/seams/log.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { startSlowProxy } from "../../harness/slow-proxy.ts";
import { leading, openEtcdJournal } from "./open-etcd-journal.ts";

const skip = canRunEtcd() ?? false;
/** A sign of life every 250 ms; after 300 ms another member is asked, for a write after 500 ms. */
const TTL_MS = 1_500;

let etcd: Etcd;
before(async () => {
  if (!skip) etcd = await startEtcd();
});
after(() => etcd?.stop());

describe("etcd: slow answers", { skip }, () => {
  for (const delayMs of [400, 700]) {
    test(`with answers after ${delayMs} ms a leader with a lease of ${TTL_MS} ms leads on, its writes are done, and its watch stays`, async () => {
      const proxy = await startSlowProxy(Number(new URL(etcd.endpoints[0] ?? "").port));
      const warnings: string[] = [];
      const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) };
      const options = { prefix: `/slow-${delayMs}/`, ttlMs: TTL_MS, log };
      const { journal, leadership } = await leading(
        await openEtcdJournal([`http://127.0.0.1:${proxy.port}`], { ...options }),
      );
      try {
        proxy.delayMs = delayMs;
        for (const revision of [1, 2, 3]) await journal.append([{ kind: "Pod", key: "a", revision, json: '"x"' }]);
        await sleep(TTL_MS);
        assert.equal(leadership.lost.aborted, false, String(leadership.lost.reason));
        assert.deepEqual(warnings, []);
      } finally {
        proxy.delayMs = 0;
        await journal.close();
        await proxy.close();
      }
    });
  }

  test("behind one address, whose connections are forgotten without a word, a leader makes another in time and leads on", async () => {
    const proxy = await startSlowProxy(Number(new URL(etcd.endpoints[0] ?? "").port));
    const endpoints = [`http://127.0.0.1:${proxy.port}`];
    const { journal, leadership } = await leading(
      await openEtcdJournal(endpoints, { prefix: "/forgotten/", ttlMs: TTL_MS }),
    );
    try {
      proxy.forget();
      await journal.append([{ kind: "Pod", key: "a", revision: 1, json: '"x"' }]);
      await sleep(TTL_MS);
      assert.equal(leadership.lost.aborted, false, String(leadership.lost.reason));
    } finally {
      await journal.close();
      await proxy.close();
    }
  });
});
