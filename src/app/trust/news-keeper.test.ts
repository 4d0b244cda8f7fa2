import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClusterNews } from "../../model/cluster-news.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { NewsKeeper } from "./news-keeper.ts";

const news = (signingCa: string): ClusterNews => ({ clusterId: "c", servers: [], caPem: signingCa, signingCa });

class Disk {
  isFull = true;
  readonly written: string[] = [];
  tries = 0;

  async takeNews({ signingCa }: ClusterNews): Promise<void> {
    this.tries++;
    if (this.isFull) throw new Error("ENOSPC: no space left on device");
    this.written.push(signingCa);
  }
}

describe("news of the cluster", () => {
  test("that a full disk does not take are written by itself once there is room, the newest alone", async () => {
    const [clock, disk] = [new ManualClock(), new Disk()];
    const keeper = new NewsKeeper({ identity: disk, clock, log: silentLog });
    keeper.take(news("old"));
    await clock.advance(1);
    keeper.take(news("new"));
    await clock.advance(60_000);
    assert.ok(disk.tries > 3, "it tries again");
    assert.deepEqual(disk.written, []);
    disk.isFull = false;
    await clock.advance(60_000);
    assert.deepEqual(disk.written, ["new"]);
    await keeper.close();
  });

  test("nothing is tried after the end", async () => {
    const [clock, disk] = [new ManualClock(), new Disk()];
    const keeper = new NewsKeeper({ identity: disk, clock, log: silentLog });
    keeper.take(news("x"));
    await keeper.close();
    disk.isFull = false;
    await clock.advance(60_000);
    assert.deepEqual(disk.written, []);
  });
});
