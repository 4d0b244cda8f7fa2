import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, test } from "node:test";
import { allCheckers } from "../../src/sim/checkers/index.ts";
import { scenarios } from "../../src/sim/scenarios/index.ts";
import { commitId } from "../../src/sim/swarm/commit-id.ts";
import { type Finished, runJobs } from "../../src/sim/swarm/run-jobs.ts";
import type { SeedResult } from "../../src/sim/swarm/seed-result.ts";
import { failureLines, Summary } from "../../src/sim/swarm/summary.ts";
import type { Job } from "../../src/sim/swarm/worker.ts";
import { regressions } from "./regressions.ts";

const WORKERS = Math.min(2, availableParallelism());
/** The promise is 300 within three minutes on two cores. */
const SEEDS = 300;
const WITHIN_MS = 180_000;

async function runAll(jobs: readonly Job[], workers = WORKERS): Promise<readonly Finished[]> {
  const left = [...jobs];
  const all: Finished[] = [];
  await runJobs({ workers, next: () => left.shift(), finished: (one) => all.push(one) });
  return all;
}

function explain(results: readonly SeedResult[]): string {
  const commit = commitId();
  return results.flatMap((result) => ["", ...failureLines(result, commit)]).join("\n");
}

describe("the swarm", () => {
  test(`${SEEDS} seeds hold every invariant, within three minutes of two cores, and every checker has judged`, async (t) => {
    const summary = new Summary();
    const all = await runAll(Array.from({ length: SEEDS }, (_, i) => ({ seed: i + 1, scenario: "swarm" })));
    for (const { result, ms } of all) summary.add(result, ms);
    for (const line of summary.lines()) t.diagnostic(line);
    assert.deepEqual(summary.failures.length, 0, explain(summary.failures));
    assert.equal(summary.seeds, SEEDS);
    assert.deepEqual(summary.idle, [], "some checkers judged nothing, so that nothing was proved by them");
    assert.equal(summary.judgements.size, allCheckers().length);
    // Processor time, so that what else runs on the machine changes nothing.
    const wallMs = summary.cpuMs / WORKERS;
    assert.ok(wallMs < WITHIN_MS, `took ${(wallMs / 1000).toFixed(0)} s on ${WORKERS} cores`);
  });

  test("every scenario of one rule holds, on several seeds", async () => {
    const own = scenarios.filter(({ name }) => name !== "swarm");
    assert.ok(own.length >= 30, `there are ${own.length} scenarios`);
    const all = await runAll(own.flatMap(({ name }) => [1, 2].map((seed) => ({ seed, scenario: name }))));
    const failed = all.map(({ result }) => result).filter(({ failure }) => failure !== undefined);
    assert.equal(failed.length, 0, explain(failed));
  });

  test("seeds that found something once find nothing any more", async () => {
    const all = await runAll(regressions.map(({ seed, scenario }) => ({ seed, scenario })));
    const failed = all.map(({ result }) => result).filter(({ failure }) => failure !== undefined);
    assert.equal(failed.length, 0, explain(failed));
  });
});

describe("a seed", () => {
  const jobs: readonly Job[] = [
    ...[3, 11, 42, 77].map((seed) => ({ seed, scenario: "swarm" })),
    { seed: 5, scenario: "silent-host" },
  ];

  test("has the same trace in another process, after other seeds, and beside other work", async () => {
    const first = hashes(await runAll(jobs));
    const again = hashes(await runAll([...jobs].reverse(), 1));
    const twice = hashes(await runAll([...jobs, ...jobs], 1));
    assert.equal(new Set(first.values()).size, jobs.length, "different seeds have different traces");
    assert.deepEqual([...again].sort(), [...first].sort());
    assert.deepEqual([...twice].sort(), [...first].sort());
  });
});

/** Throws when one seed had two traces. */
function hashes(all: readonly Finished[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { result } of all) {
    const name = `${result.scenario} ${result.seed}`;
    assert.equal(result.failure, undefined, explain([result]));
    assert.equal(found.get(name) ?? result.traceHash, result.traceHash, `${name} has two traces`);
    found.set(name, result.traceHash);
  }
  return found;
}
