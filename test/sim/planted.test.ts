import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findBug, type Hunt, huntLine } from "../../src/sim/plant/find-bug.ts";
import { plantedBugs } from "../../src/sim/plant/planted-bugs.ts";
import { type Finished, runJobs } from "../../src/sim/swarm/run-jobs.ts";

const AT_ONCE = 2;

describe("planted bugs", () => {
  test("each is found within its seeds, by the rule that is about it", async (t) => {
    const left = [...plantedBugs];
    const hunts: Hunt[] = [];
    const lane = async () => {
      for (let bug = left.shift(); bug; bug = left.shift()) {
        const hunt = await findBug(bug);
        hunts.push(hunt);
        t.diagnostic(huntLine(hunt));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const missed = hunts.filter(({ found }) => found === undefined);
    assert.deepEqual(missed.map(huntLine), []);
    assert.ok(hunts.length >= 20, `there are ${hunts.length} planted bugs`);
  });

  test("the scenarios that find them, and the seeds before, are green without them", async () => {
    const names = [...new Set(plantedBugs.flatMap(({ scenario }) => scenario ?? []))];
    const jobs = [
      ...names.map((scenario) => ({ seed: 1, scenario })),
      ...Array.from({ length: 30 }, (_, i) => ({ seed: i + 1, scenario: "swarm" })),
    ];
    const all: Finished[] = [];
    await runJobs({ workers: AT_ONCE, next: () => jobs.shift(), finished: (one) => all.push(one) });
    const failed = all.flatMap(({ result }) =>
      result.failure ? [`${result.scenario} ${result.seed}: ${result.failure.message}`] : [],
    );
    assert.deepEqual(failed, []);
  });
});
