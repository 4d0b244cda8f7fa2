import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silentLog } from "../../../seams/log.ts";
import { ManualClock } from "../../../seams/manual-clock.ts";
import type { CallListener } from "./rpc/grpc-channel.ts";
import { Watcher } from "./watcher.ts";

/** A WatchResponse that has nothing but the header with the cluster's id (fields 1 and 1). */
const from = (clusterId: number) => Buffer.from([0x0a, 2, 0x08, clusterId]);

class Members {
  readonly opened: { readonly nth: number; readonly listener: CallListener }[] = [];
  readonly reset: number[] = [];
  asked = 0;

  async watch(nth: number, listener: CallListener) {
    this.opened.push({ nth, listener });
    // The first message is the watch itself.
    return { send: () => void this.asked++, cancel: () => {} };
  }
}

function start() {
  const [clock, members, lost] = [new ManualClock(), new Members(), [] as string[]];
  const client = {
    watch: members.watch.bind(members),
    reset: (nth: number) => void members.reset.push(nth),
    forgetToken: () => {},
  };
  const place = { key: "/x/", end: "/x0", after: 4, clusterId: "7" };
  const listeners = { revision: () => {}, lost: (reason: string) => void lost.push(reason) };
  const watcher = new Watcher({ client, clock, log: silentLog, ...place, ...listeners });
  watcher.start();
  return { clock, members, lost, watcher };
}

describe("the watch on etcd", () => {
  test("a member that is silent is asked for a sign of life, and left for the next after three seconds", async () => {
    const { clock, members } = start();
    await clock.advance(1_500);
    assert.equal(members.asked, 2);
    await clock.advance(1_400);
    assert.deepEqual([members.reset, members.opened.length], [[], 1]);
    await clock.advance(600);
    assert.deepEqual(members.reset, [0]);
    assert.deepEqual(
      members.opened.map(({ nth }) => nth),
      [0, 1],
    );
  });

  test("a member that answers when asked is kept", async () => {
    const { clock, members } = start();
    for (let second = 0; second < 10; second++) {
      await clock.advance(1_000);
      members.opened[0]?.listener.message(from(7));
    }
    assert.deepEqual([members.reset, members.opened.length], [[], 1]);
  });

  test("another etcd cluster at the address ends it: its revisions mean something else", async () => {
    const { clock, members, lost } = start();
    await clock.advance(10);
    members.opened[0]?.listener.message(from(8));
    assert.deepEqual(lost, ["another etcd cluster answers at this address"]);
    await clock.advance(60_000);
    assert.equal(members.opened.length, 1);
  });
});
