import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../../seams/random.ts";
import { drawCluster } from "./cluster.ts";
import { drawPlan } from "./plan.ts";

const SEEDS = Array.from({ length: 400 }, (_, i) => i);
const FAULTS =
  "agent-crash agent-start agent-stop clock-drift clock-jump container-killed engine-down engine-hang flapping freeze " +
  "good-network io-stall joined journal-fast journal-refuses journal-slow journal-stalls journal-takes one-way partition " +
  "poor-network power-off power-on pulls-fail pulls-slow reboot reboot-announced server-crash server-freeze server-start";
const WISHES =
  "cordon;create;create again;delete;drain;look;more;not allowed;rebalance;release the brake;scale;settings;uncordon;update";

function draw(seed: number) {
  const random = new SeededRandom(seed);
  const size = drawCluster(random.fork("size"));
  return { size, plan: drawPlan(random.fork("plan"), size) };
}

describe("drawing a cluster and what happens to it", () => {
  const drawn = SEEDS.map(draw);

  test("half of the clusters have at most 6 nodes, some have many, none more than 200", () => {
    const counts = drawn.map(({ size }) => size.nodes.length).sort((a, b) => a - b);
    const median = counts[counts.length / 2] ?? 0;
    assert.ok(median >= 4 && median <= 8, `the median is ${median}`);
    assert.ok((counts[0] ?? 0) >= 1 && (counts.at(-1) ?? 0) >= 40 && (counts.at(-1) ?? 0) <= 200, `${counts.at(-1)}`);
  });

  test("a seed draws the same again", () => {
    const { plan } = draw(7);
    assert.deepEqual(
      plan.steps.map(({ atMs, words }) => [atMs, words]),
      draw(7).plan.steps.map(({ atMs, words }) => [atMs, words]),
    );
    assert.deepEqual(
      plan.workloads.map(({ create }) => create),
      draw(7).plan.workloads.map(({ create }) => create),
    );
  });

  test("every fault and every wish is drawn", () => {
    const kinds = new Set(drawn.flatMap(({ plan }) => plan.steps.map(({ kind }) => kind)));
    const expected = [
      ...FAULTS.split(" ").map((kind) => `fault/${kind}`),
      ...WISHES.split(";").map((kind) => `user/${kind}`),
    ];
    assert.deepEqual([...kinds].sort(), expected.sort());
  });

  test("all three dialects are drawn, and exclusive workloads in each", () => {
    const exclusive = drawn.flatMap(({ plan }) => plan.workloads.filter(({ isExclusive }) => isExclusive));
    assert.deepEqual([...new Set(exclusive.map(({ dialect }) => dialect))].sort(), ["fleet", "kubernetes", "marathon"]);
  });

  test("everything happens in order and before the healing", () => {
    for (const { plan } of drawn) {
      const times = plan.steps.map(({ atMs }) => atMs);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.ok((times.at(-1) ?? 0) <= plan.untilMs, `${times.at(-1)} > ${plan.untilMs}`);
    }
  });

  test("who is off is switched on, and is not switched off twice", () => {
    for (const { plan } of drawn) {
      const off = new Set<string>();
      for (const { kind, words } of plan.steps) {
        const who = words.split(":")[0] ?? "";
        if (kind === "fault/power-off" || kind === "fault/agent-crash" || kind === "fault/agent-stop") {
          assert.ok(!off.has(who), `${words}, which is off`);
          off.add(who);
        }
        if (kind === "fault/power-on" || kind === "fault/agent-start")
          assert.ok(off.delete(who), `${words}, which is on`);
      }
      assert.deepEqual([...off], []);
    }
  });
});
