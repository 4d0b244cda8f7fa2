import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../../seams/manual-clock.ts";
import { FallBack } from "./fall-back.ts";
import { Prober } from "./prober.ts";

const settle = async () => {
  for (let n = 0; n < 20; n++) await Promise.resolve();
};

describe("probes of other nodes", () => {
  test("a thousand nodes are asked a few at a time, each of them, and those that do not answer again soon", async () => {
    const clock = new ManualClock();
    const asked = new Map<string, number>();
    let most = 0;
    let round = 0;
    const dial = async ({ to }: { readonly to: string }) => {
      round++;
      asked.set(to, (asked.get(to) ?? 0) + 1);
      if (to === "gone") throw new Error("no answer");
      return 1;
    };
    const onRound = () => {
      most = Math.max(most, round);
      round = 0;
    };
    const prober = new Prober({ clock, dial, from: () => undefined, onRound });
    const names = [...Array.from({ length: 200 }, (_, n) => `n${n}`), "gone"];
    prober.setPeers(names.map((node) => ({ node, gateway: node })));
    for (let second = 0; second < 60; second++) {
      await settle();
      await clock.advance(1_000);
    }
    assert.ok(most <= 16, `${most} at once`);
    assert.equal(asked.size, names.length);
    assert.ok((asked.get("gone") ?? 0) >= 10);
    assert.equal(prober.seen("gone").state, "unreachable");
    assert.deepEqual([prober.seen("n7").state, prober.seen("n7").rttMs], ["reachable", 1]);
    prober.stop();
  });

  test("however many nodes there are, each is asked about once a minute", async () => {
    const clock = new ManualClock();
    const [asked, first] = [new Map<string, number>(), new Set<string>()];
    const dial = async ({ to }: { readonly to: string }) => {
      asked.set(to, clock.monotonic());
      first.add(to);
      return 1;
    };
    const prober = new Prober({ clock, dial, from: () => undefined, onRound: () => undefined });
    const names = Array.from({ length: 1000 }, (_, n) => `n${n}`);
    prober.setPeers(names.map((node) => ({ node, gateway: node })));
    for (let second = 0; second < 240; second++) {
      await settle();
      await clock.advance(1_000);
      const longAgo = [...asked.values()].filter((atMs) => clock.monotonic() - atMs > 71_000);
      assert.deepEqual(longAgo, []);
    }
    assert.equal(first.size, names.length);
    prober.stop();
  });

  test("of many that fail those are asked first that failed most often, so that other ways to them are taken soon", async () => {
    const clock = new ManualClock();
    const failures = new Map<string, number>();
    const dial = async ({ to }: { readonly to: string }) => {
      failures.set(to, (failures.get(to) ?? 0) + 1);
      throw new Error("no answer");
    };
    const prober = new Prober({ clock, dial, from: () => undefined, onRound: () => undefined });
    const names = Array.from({ length: 500 }, (_, n) => `gone${n}`);
    prober.setPeers(names.map((node) => ({ node, gateway: node })));
    for (let second = 0; second < 8; second++) {
      await settle();
      await clock.advance(1_000);
    }
    assert.ok([...failures.values()].filter((count) => count >= 6).length >= 30, `${[...failures.values()]}`);
    prober.stop();
  });

  test("nodes that stay away are not hurried for ever", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const dial = async ({ to }: { readonly to: string }) => {
      if (!to.startsWith("gone")) return 1;
      asked++;
      throw new Error("no answer");
    };
    const prober = new Prober({ clock, dial, from: () => undefined, onRound: () => undefined });
    const names = Array.from({ length: 300 }, (_, n) => (n < 100 ? `gone${n}` : `n${n}`));
    prober.setPeers(names.map((node) => ({ node, gateway: node })));
    await clock.advance(72_000);
    asked = 0;
    await clock.advance(60_000);
    assert.ok(asked <= 120, `100 nodes that are gone were asked ${asked} times in a minute`);
    assert.equal(prober.seen("n299").state, "reachable");
    prober.stop();
  });

  test("one failure is no reason to take another way, and a node that nobody hears is none", () => {
    const ways = new FallBack();
    assert.ok(!ways.failed({ node: "b", failures: 5, isSilent: false, nowMs: 0 }));
    assert.ok(!ways.failed({ node: "b", failures: 60, isSilent: true, nowMs: 0 }));
    assert.ok(ways.failed({ node: "b", failures: 6, isSilent: false, nowMs: 0 }));
    assert.deepEqual([...ways.nodes], ["b"]);
  });

  test("plain routes are tried again, later each time, until they lead somewhere", () => {
    const ways = new FallBack();
    ways.failed({ node: "b", failures: 6, isSilent: false, nowMs: 0 });
    assert.deepEqual(ways.due(14_999), []);
    assert.deepEqual(ways.due(15_000), ["b"]);
    ways.tried("b", false, 15_000);
    assert.deepEqual(ways.due(44_999), []);
    assert.deepEqual(ways.due(45_000), ["b"]);
    ways.tried("b", true, 45_000);
    assert.equal(ways.nodes.size, 0);
  });
});
