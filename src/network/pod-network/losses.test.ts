import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../../seams/manual-clock.ts";
import { SeededRandom } from "../../seams/random.ts";
import { Losses, lossWords, unsteadyWords } from "./losses.ts";
import { Prober } from "./prober.ts";

/** "1": lost. */
function after(probes: string) {
  const losses = new Losses();
  for (const probe of probes) losses.record("b", probe === "1");
  return losses.of("b");
}

describe("of the last probes of a node", () => {
  const cases: readonly (readonly [name: string, probes: string, loss: ReturnType<typeof after>])[] = [
    ["none that was lost is nothing to say", "0".repeat(80), undefined],
    ["one now and then is none either", `0001${"0".repeat(20)}1000`, undefined],
    ["a node that was away for long, and came back, loses none", `000${"1".repeat(40)}000`, undefined],
    ["one that was away twice is no link that loses packets", `00${"1".repeat(9)}0000${"1".repeat(9)}000`, undefined],
    ["every third is counted", "001".repeat(4), { lost: 4, of: 12 }],
    ["those of long ago are forgotten", `${"1".repeat(3)}${"0010".repeat(20)}`, { lost: 13, of: 50 }],
    ["what was mended is said no more after two minutes", `${"001".repeat(8)}${"0".repeat(24)}`, undefined],
  ];
  for (const [name, probes, loss] of cases) test(name, () => assert.deepEqual(after(probes), loss));
});

test("where the fault is, goes by how many of the others are lost", () => {
  const some = ["b", "c", "d"].map((node, at) => ({ node, lost: 4 + at, of: 50 }));
  assert.equal(lossWords([], 3), undefined);
  assert.deepEqual(unsteadyWords(some.slice(1)), unsteadyWords([...some.slice(1)].reverse()));
  assert.match(unsteadyWords(some) ?? "", /^probes to nodes b, c, d are lost now and then/);
  assert.match(lossWords(some.slice(0, 1), 3) ?? "", /^probes to b \(4 of the last 50\) are lost.*that host's card/);
  assert.match(lossWords(some, 4) ?? "", /^probes to d \(6 of the last 50\), c .*this host's own card/);
  const many = Array.from({ length: 9 }, (_, at) => ({ node: `n${at}`, lost: 5, of: 50 }));
  assert.match(lossWords(many, 100) ?? "", /n4 \(5 of the last 50\) and 4 more nodes are lost.*that host's card/);
});

describe("a prober on a wire", () => {
  /** Seconds until loss is said of the node at its end; undefined: not in five minutes. */
  async function saidAfter(isLost: (nowMs: number) => boolean): Promise<number | undefined> {
    const clock = new ManualClock();
    const dial = (_: unknown, signal: AbortSignal) => {
      if (!isLost(clock.monotonic())) return Promise.resolve(1);
      const { promise, reject } = Promise.withResolvers<number>();
      signal.addEventListener("abort", () => reject(new Error("no answer in time")));
      return promise;
    };
    const prober = new Prober({ clock, dial, from: () => undefined, onRound: () => undefined });
    prober.setPeers([{ node: "b", gateway: "b" }]);
    try {
      for (let tenth = 0; tenth < 3_000; tenth++) {
        for (let n = 0; n < 20; n++) await Promise.resolve();
        await clock.advance(100);
        if (prober.loss("b") !== undefined) return tenth / 10;
      }
      return undefined;
    } finally {
      prober.stop();
    }
  }

  test("that loses a fifth of the packets each way says so within two minutes, and mostly in half of one", async () => {
    const random = new SeededRandom(7);
    const seconds = [];
    for (let n = 0; n < 20; n++)
      seconds.push((await saidAfter(() => random.next() < 0.2 || random.next() < 0.2)) ?? Infinity);
    assert.ok(Math.max(...seconds) <= 120, `${seconds}`);
    assert.ok((seconds.toSorted((a, b) => a - b)[10] ?? Infinity) <= 25, `${seconds}`);
  });

  test("whose cable goes out and in every three seconds says so within a minute", async () => {
    const seconds = await saidAfter((nowMs) => Math.floor(nowMs / 3_000) % 2 === 1);
    assert.ok((seconds ?? Infinity) <= 60, `${seconds}`);
  });

  test("that is well, or was cut for half a minute, says nothing", async () => {
    assert.equal(await saidAfter(() => false), undefined);
    assert.equal(await saidAfter((nowMs) => nowMs > 20_000 && nowMs < 50_000), undefined);
  });
});
