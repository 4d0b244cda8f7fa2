import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../../seams/log.ts";
import { ManualClock } from "../../../seams/manual-clock.ts";
import { compactRegularly } from "./compaction.ts";

/** What compaction asks of etcd, and no more of it. */
class Revisions {
  revision = 1;
  said: string | undefined;
  readonly compacted: number[] = [];

  async range() {
    const kvs = this.said === undefined ? [] : [{ key: "", modRevision: 1, value: Buffer.from(this.said) }];
    return { header: { clusterId: "", revision: this.revision }, kvs, more: false };
  }

  async compact(revision: number): Promise<void> {
    this.compacted.push(revision);
  }
}

async function start(written: () => number) {
  const [clock, etcd, term] = [new ManualClock(), new Revisions(), new AbortController()];
  const round = { everyMs: 300_000, everyBytes: 1_000, written, key: "/compaction" };
  const running = compactRegularly({ client: etcd, clock, log: silentLog, signal: term.signal, ...round });
  await clock.settle();
  const stop = async () => {
    term.abort(new Error("the term is over"));
    await running;
  };
  return { clock, etcd, stop };
}

test("a leader that writes little compacts every five minutes, and keeps the last five", async () => {
  const { clock, etcd, stop } = await start(() => 0);
  for (const revision of [10, 20, 30]) {
    await clock.advance(299_000);
    etcd.revision = revision;
    await clock.advance(1_000);
  }
  assert.deepEqual(etcd.compacted, [1, 10, 20]);
  await stop();
});

test("a leader that writes much does so earlier, but never what the round before has written", async () => {
  let written = 0;
  const { clock, etcd, stop } = await start(() => written);
  for (const revision of [10, 20, 30]) {
    written += 1_000;
    etcd.revision = revision;
    await clock.advance(2_000);
  }
  assert.deepEqual(etcd.compacted, [1, 10, 20]);
  await stop();
});

test("it does nothing while an operator says so, and nothing after its term", async () => {
  const { clock, etcd, stop } = await start(() => 0);
  etcd.said = "off\n";
  await clock.advance(900_000);
  assert.deepEqual(etcd.compacted, []);
  etcd.said = undefined;
  await stop();
  await clock.advance(900_000);
  assert.deepEqual(etcd.compacted, []);
});
