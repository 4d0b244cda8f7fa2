/** What is due later than it was, or waits for the disk, is not forgotten and not done too early. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodes } from "../../model/node.ts";
import type { TestCluster } from "./test-cluster.ts";
import { testClusters } from "./test-clusters.ts";
import { SlowJournal } from "./test-slow-journal.ts";

const cluster = testClusters(["n1", "n2", "n3", "n4", "n5"]);

const EXCLUSIVE = { owner: "db", spec: { exclusive: true } } as const;

describe("a move that is put off", () => {
  test("is made when it is due by the longer terms", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(20_000);
    await c.set({ exclusiveAfterMs: 60_000 });
    await c.advance(38_000);
    assert.deepEqual(c.lost, []);
    await c.advance(4_000);
    assert.deepEqual(c.lost, ["db-1"]);
  });

  test("pods of a node that a person deleted are not forgotten before its agent has ended the exclusive ones", async () => {
    const c = await cluster({ settings: { exclusiveAfterMs: 120_000 } });
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.store.update((tx) => tx.remove(nodes, "n1"));
    await c.advance(118_000);
    assert.ok(c.pod("db-1"), "it may be running");
    await c.advance(4_000);
    assert.equal(c.pod("db-1"), undefined);
  });

  test("while a give-away is on its way to the disk a goodbye promises nothing, also of a node that beats again", async () => {
    const journal = new SlowJournal();
    const c = await cluster({ journal });
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(39_000);
    journal.hold();
    await c.advance(2_000);
    assert.equal(c.beat("n1").renewed, false);
    assert.throws(() => c.goodbye("n1"), /too late/);
    journal.go();
    await c.clock.advance(500);
    assert.equal(c.beat("n1").renewed, true);
    assert.doesNotThrow(() => c.goodbye("n1"));
  });
});

describe("what the lifecycle writes", () => {
  test("what is to be said of the cluster while something else is being written of it is said after that", async () => {
    const journal = new SlowJournal();
    const c = await cluster({ journal });
    c.silence("n1", "n2", "n3");
    await c.advance(7_000);
    journal.hold();
    await c.advance(5_000);
    assert.equal(c.lifecycle.releaseBrake(undefined, "alice").length, 3);
    await c.advance(1_000);
    journal.go();
    await c.advance(2_000);
    for (const reason of ["BrakeHolds", "BrakeReleased", "BrakeEnded"])
      assert.equal(c.events(reason).length, 1, reason);
  });

  test("a hundred nodes that are lost at once are looked at in slices, so that others are heard in between", async () => {
    const names = Array.from({ length: 100 }, (_, at) => `n${String(at).padStart(3, "0")}`);
    const c = await cluster({ nodes: names, settings: { brakeAtLeast: 1_000 } });
    c.silence(...names);
    await c.advance(7_000);
    const slices = new Slices(c);
    await c.advance(3_000);
    assert.ok(slices.looks >= 100, `${slices.looks} looks`);
    assert.ok(slices.longest <= 15, `${slices.longest} without a breath`);
  });
});

/** Every look at the time takes a millisecond; counts the writes that are begun between two turns of the event loop. */
class Slices {
  looks = 0;
  longest = 0;
  #now = 0;

  constructor({ clock, store }: TestCluster) {
    const monotonic = clock.monotonic.bind(clock);
    let spentMs = 0;
    clock.monotonic = () => monotonic() + spentMs++;
    const update = store.update.bind(store);
    store.update = (change) => {
      if (this.#now++ === 0) queueMicrotask(() => this.#end());
      return update(change);
    };
  }

  #end(): void {
    this.looks += this.#now;
    this.longest = Math.max(this.longest, this.#now);
    this.#now = 0;
  }
}
