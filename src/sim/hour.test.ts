import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { idleCoreSeconds } from "../../test/harness/processor.ts";
import { hour } from "./hour.ts";
import { runScenario } from "./swarm/run-seed.ts";

/** The promise is 10 s of a core that has nothing else to do; five others on the same core have been seen to double what it takes. */
const MOST_CPU_SECONDS = 25;
const TRIES = 2;

describe("the simulator's speed", () => {
  test("an hour of 50 nodes and 500 pods, with heartbeats, probes and all checkers, costs some seconds of one core", async () => {
    const spent: number[] = [];
    while (spent.length < TRIES && !spent.some((seconds) => seconds <= MOST_CPU_SECONDS)) {
      spent.push(
        await idleCoreSeconds(async () => {
          const { failure, virtualMs } = await runScenario(1, hour);
          assert.equal(failure, undefined);
          assert.ok(virtualMs >= 3_600_000);
        }),
      );
    }
    assert.ok(Math.min(...spent) <= MOST_CPU_SECONDS, `${spent.join(", ")} s`);
  });
});
