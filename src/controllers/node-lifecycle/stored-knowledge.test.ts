/** What a control plane that ends or stands still, again and again, must not forget. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { nodes } from "../../model/node.ts";
import { type ClusterOptions, TestCluster } from "./test-cluster.ts";

const open: TestCluster[] = [];

async function cluster(options: Partial<ClusterOptions> = {}): Promise<TestCluster> {
  const { settings, ...others } = options;
  const names = ["n1", "n2", "n3", "n4", "n5", "n6"];
  const made = await TestCluster.open({ nodes: names, settings: { startGraceMs: 30_000, ...settings }, ...others });
  open.push(made);
  for (const n of [1, 2, 3, 4, 5, 6]) await made.run(`web-${n}`, `n${n}`);
  await made.advance(31_000);
  return made;
}

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const held = (c: TestCluster) => c.lifecycle.brake?.nodes ?? [];
const words = (c: TestCluster, name: string) => c.lifecycle.stateOf(name)?.words ?? "";
const EXCLUSIVE = { owner: "db", spec: { exclusive: true } } as const;
const SLOW = { owner: "slow", spec: { whenUnreachable: { action: "replace", afterMs: 3_600_000 } } } as const;

/** The process stands still: its clock goes on, its timers do not come. */
function stall({ clock }: TestCluster, ms: number): void {
  const monotonic = clock.monotonic.bind(clock);
  clock.monotonic = () => monotonic() + ms;
}

/** The wall clock alone is set. */
function setWall({ clock }: TestCluster, ms: number): void {
  const now = clock.now.bind(clock);
  clock.now = () => now() + ms;
}

describe("terms of exclusive pods", () => {
  test("longer ones are told to agents when they are on the disk", async () => {
    const c = await cluster();
    await c.set({ exclusiveAfterMs: 120_000 });
    assert.equal(c.beat("n1").terms.exclusiveMs, 40_000);
    await c.advance(1_000);
    assert.equal(c.beat("n1").terms.exclusiveMs, 120_000);
  });

  test("that were made shorter just before a restart are waited for by who starts", async () => {
    const c = await cluster({ settings: { exclusiveAfterMs: 120_000 } });
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(2_000);
    await c.set({ exclusiveAfterMs: 40_000 });
    await c.restart();
    await c.advance(118_000);
    assert.ok(!c.lost.includes("db-1"), "its agent may go by 120 s");
    await c.advance(4_000);
    assert.ok(c.lost.includes("db-1"));
  });

  test("are forgotten once nobody can have them any more", async () => {
    const c = await cluster({ settings: { exclusiveAfterMs: 120_000 } });
    await c.set({ exclusiveAfterMs: 40_000 });
    await c.advance(125_000);
    await c.restart();
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(43_000);
    assert.ok(c.lost.includes("db-1"));
  });

  test("that were made shorter are waited for also with the pods of a node that a person took out", async () => {
    const c = await cluster({ settings: { exclusiveAfterMs: 120_000 } });
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.set({ exclusiveAfterMs: 40_000 });
    await c.store.update((tx) => tx.remove(nodes, "n1"));
    await c.restart();
    await c.advance(118_000);
    assert.ok(c.pod("db-1"));
    await c.advance(4_000);
    assert.equal(c.pod("db-1"), undefined);
  });
});

describe("a dead node", () => {
  test("is lost although the control plane stands still for 4 s in every 25 s", async () => {
    const c = await cluster();
    c.silence("n1");
    for (let n = 0; n < 3; n++) {
      stall(c, 4_000);
      await c.advance(25_000);
    }
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("is lost although the control plane stands still for 4 s in every 10 s", async () => {
    const c = await cluster();
    c.silence("n1");
    for (let n = 0; n < 10; n++) {
      stall(c, 4_000);
      await c.advance(10_000);
    }
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("is waited for after a stall as long as that was and a lease, not for the grace of a start", async () => {
    const c = await cluster();
    c.silence("n1");
    stall(c, 4_000);
    await c.advance(10_000);
    assert.deepEqual(c.lost, []);
    await c.advance(5_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("of a zone that is cut off is held, although the ones of the zone are waited for differently long", async () => {
    const zones = ["a", "a", "a", "b", "b", "b", "c", "c", "c"];
    const c = await cluster({ nodes: zones.map((zone, at) => ({ name: `n${at + 1}`, zone })) });
    c.silence("n1");
    await c.restart();
    await c.advance(12_000);
    c.silence("n2", "n3");
    for (let n = 0; n < 7; n++) {
      await c.restart();
      await c.advance(20_000);
    }
    assert.deepEqual(held(c), ["n1", "n2", "n3"]);
    assert.deepEqual(c.lost, []);
  });

  for (const everyMs of [29_000, 12_000]) {
    test(`is lost although the control plane begins anew every ${everyMs / 1000} s`, async () => {
      const c = await cluster();
      c.silence("n1");
      for (let n = 0; n < 7; n++) {
        await c.restart();
        await c.advance(everyMs);
      }
      assert.deepEqual(c.lost, ["web-1"]);
      await c.back("n1");
      await c.advance(12_000);
      assert.deepEqual(c.node("n1").metadata.annotations ?? {}, {}, "nothing of it is left");
    });
  }

  test("is not one that we could not hear because we heard nobody", async () => {
    const c = await cluster();
    c.silence("n1", "n2", "n3", "n4");
    for (let n = 0; n < 7; n++) {
      await c.restart();
      await c.advance(29_000);
    }
    assert.deepEqual(c.lost, []);
    assert.equal(c.node("n1").metadata.annotations?.["styrmann.dev/unheard"], undefined);
  });
});

describe("a release", () => {
  test("is kept by a control plane that starts, for the node that it was about", async () => {
    const c = await cluster();
    c.silence("n1", "n2", "n3", "n4");
    await c.advance(15_000);
    assert.deepEqual(c.lifecycle.releaseBrake(["n1"], "alice"), ["n1"]);
    await c.run("slow-1", "n1", { owner: "slow", spec: { whenUnreachable: { action: "replace", afterMs: 60_000 } } });
    await c.advance(3_000);
    await c.restart();
    assert.deepEqual(held(c), ["n2", "n3", "n4"]);
    await c.advance(120_000);
    assert.deepEqual(c.lost, ["slow-1", "web-1"]);
    assert.deepEqual(held(c), ["n2", "n3", "n4"]);
    await c.back("n1");
    assert.equal(c.node("n1").metadata.annotations?.["styrmann.dev/released"], undefined);
  });
});

describe("what is said after a restart", () => {
  test("of a node that is not heard: that it is not, and until when it is waited for", async () => {
    const c = await cluster();
    c.silence("n1");
    await c.advance(1_000);
    await c.restart();
    await c.advance(5_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "suspect");
    assert.equal(words(c, "n1"), "not heard since this server began; waited for until 25 s from now");
    assert.equal(words(c, "n2"), "it beats");
  });

  test("of a node after a stall: since when it is silent, and until when it is waited for", async () => {
    const c = await cluster();
    c.silence("n1");
    await c.advance(4_000);
    stall(c, 10_000);
    await c.advance(2_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "suspect");
    assert.match(words(c, "n1"), /^silent for 16 s; waited for until 1\d s from now$/);
  });

  test("of a brake that held: that it holds, and it can be let go of", async () => {
    const c = await cluster();
    c.silence("n1", "n2", "n3", "n4");
    await c.advance(60_000);
    const { sinceMs = 0 } = c.lifecycle.brake ?? {};
    await c.restart();
    assert.deepEqual(held(c), ["n1", "n2", "n3", "n4"]);
    assert.ok(Math.abs((c.lifecycle.brake?.sinceMs ?? 0) - sinceMs) <= 5_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "unreachable");
    assert.match(words(c, "n1"), /^silent for 5\d s; the brake holds: 4 of 6 nodes fell silent/);
    assert.deepEqual(c.lifecycle.releaseBrake(undefined, "alice"), ["n1", "n2", "n3", "n4"]);
    await c.advance(40_000);
    assert.deepEqual(c.lost, ["web-1", "web-2", "web-3", "web-4"]);
  });

  test("of a brake that held: nothing, when enough of its nodes are heard", async () => {
    const c = await cluster();
    c.silence("n1", "n2", "n3", "n4");
    await c.advance(60_000);
    await c.restart();
    for (const name of ["n1", "n2", "n3", "n4"]) await c.back(name);
    assert.equal(c.lifecycle.brake, undefined);
    assert.equal(c.condition(c.node("n1"), "Ready"), "True AgentReady");
    await c.advance(60_000);
    assert.deepEqual(c.lost, []);
  });

  test("of a node that was lost: since when", async () => {
    const c = await cluster();
    c.silence("n1");
    await c.advance(600_000);
    await c.restart();
    await c.advance(5_000);
    assert.match(words(c, "n1"), /^silent for 10 min/);
  });
});

describe("a wall clock that jumps while no control plane runs", () => {
  for (const hours of [2, -2]) {
    test(`by ${hours} h changes nothing of when a pod is replaced`, async () => {
      const c = await cluster();
      await c.run("slow-1", "n1", SLOW);
      c.silence("n1");
      await c.advance(1_800_000);
      setWall(c, hours * 3_600_000);
      await c.restart();
      await c.advance(1_740_000);
      assert.deepEqual(c.lost, ["web-1"]);
      await c.advance(300_000);
      assert.deepEqual(c.lost, ["slow-1", "web-1"]);
    });

    test(`by ${hours} h neither cuts nor lengthens what a goodbye was promised`, async () => {
      const c = await cluster();
      c.goodbye("n1");
      await c.advance(100_000);
      setWall(c, hours * 3_600_000);
      await c.restart();
      await c.advance(79_000);
      assert.deepEqual(c.lost, []);
      await c.advance(65_000);
      assert.deepEqual(c.lost, ["web-1"]);
    });
  }

  test("by nothing: the time until a restart counts to the second", async () => {
    const c = await cluster();
    await c.run("slow-1", "n1", SLOW);
    c.silence("n1");
    await c.advance(1_800_000);
    await c.restart();
    await c.advance(1_800_000);
    assert.deepEqual(c.lost, ["web-1"]);
    await c.advance(15_000);
    assert.deepEqual(c.lost, ["slow-1", "web-1"]);
  });
});
