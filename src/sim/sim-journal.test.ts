import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../seams/random.ts";
import type { JournalEntry } from "../store/journal.ts";
import { HostTime, ProcessClock } from "./sim-clock.ts";
import { SimJournal } from "./sim-journal.ts";
import { Life, SimTime } from "./sim-time.ts";

function stage(seed = 1) {
  const time = new SimTime();
  const host = new HostTime(time, 0, 0);
  const disk = new SimJournal(
    new SeededRandom(seed),
    () => time.nowMs,
    () => {},
  );
  const open = () => {
    const life = new Life("a store");
    const durable: string[] = [];
    const journal = disk.open(life, new ProcessClock(host, life), (entries) => {
      for (const { key } of entries) durable.push(key);
    });
    const crash = () => {
      life.end();
      disk.crash();
    };
    return { journal, durable, crash };
  };
  const onDisk = async () => {
    const { rows } = await time.drive(open().journal.load());
    return rows.map(({ key }) => key);
  };
  return { time, disk, open, onDisk };
}

function row(key: string, revision: number): JournalEntry {
  return { kind: "Pod", key, revision, json: "{}" };
}

describe("the simulated journal", () => {
  test("what was acknowledged is there after a crash, whatever the chance", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { time, open, onDisk } = stage(seed);
      const { journal, crash, durable } = open();
      await time.drive(journal.append([row("a", 1)]));
      crash();
      assert.deepEqual(durable, ["a"]);
      assert.deepEqual(await onDisk(), ["a"]);
    }
  });

  test("a batch under way at a crash is there whole or not at all, and never acknowledged", async () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { time, open, onDisk } = stage(seed);
      const { journal, crash, durable } = open();
      let isAcknowledged = false;
      void journal.append([row("a", 1), row("b", 2)]).then(() => {
        isAcknowledged = true;
      });
      crash();
      await time.run(100);
      assert.equal(isAcknowledged, false);
      assert.deepEqual(durable, []);
      found.add((await onDisk()).join(" "));
    }
    assert.deepEqual([...found].toSorted(), ["", "a b"]);
  });

  test("a dead process writes nothing", async () => {
    const { time, open, onDisk } = stage();
    const { journal, crash } = open();
    crash();
    void journal.append([row("a", 1)]);
    await time.run(100);
    assert.deepEqual(await onDisk(), []);
  });

  test("a refused batch is not there, and a stalled one is acknowledged after the stall", async () => {
    const { time, disk, open, onDisk } = stage();
    const { journal } = open();
    disk.refuse("the disk is full");
    await assert.rejects(time.drive(journal.append([row("a", 1)])), /the disk is full/);
    disk.refuse(undefined);
    disk.stall(5_000);
    const began = time.nowMs;
    await time.drive(journal.append([row("b", 1)]));
    assert.ok(time.nowMs - began >= 5_000);
    assert.deepEqual(await onDisk(), ["b"]);
  });
});
