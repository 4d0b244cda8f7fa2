/**
 * One seed: a world is made, a scenario happens to it under the eyes of all checkers, it heals, and it has to come to
 * rest. `npm run sim` and the swarm both run this, so that a seed is the same in both.
 */
import { SeededRandom } from "../../seams/random.ts";
import { allCheckers } from "../checkers/index.ts";
import { type Checker, type Observer, type Scenario, SimFailure, type World } from "../contract.ts";
import { scenarios } from "../scenarios/index.ts";
import { createWorld, type SimWorld, type WorldOptions } from "../world.ts";
import type { SeedFailure, SeedResult } from "./seed-result.ts";
import { Tally } from "./tally.ts";

export async function runSeed(seed: number, scenarioName: string, options: WorldOptions = {}): Promise<SeedResult> {
  return await runScenario(seed, findScenario(scenarioName), options);
}

export function findScenario(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found) return found;
  throw new Error(`there is no scenario "${name}"; see them with: npm run sim -- --list`);
}

export async function runScenario(seed: number, scenario: Scenario, options: WorldOptions = {}): Promise<SeedResult> {
  const size = scenario.size(new SeededRandom(seed).fork("size"));
  const world = await createWorld(seed, size, options);
  try {
    return await watched(world, scenario, options);
  } finally {
    world.close();
  }
}

async function watched(world: SimWorld, scenario: Scenario, { timeline }: WorldOptions): Promise<SeedResult> {
  const tally = new Tally();
  const checkers = allCheckers();
  for (const checker of checkers) attach(world, checker);
  attach(world, tally);
  const failure = await outcome(world, scenario, checkers);
  for (const checker of checkers) checker.end?.();
  const judgements = Object.fromEntries(checkers.map(({ rule, judgements = 0 }) => [rule, judgements]));
  const { commits, changes, driverCalls, faults } = tally;
  return {
    ...{ seed: world.seed, scenario: scenario.name, traceHash: world.traceHash, virtualMs: world.clock.monotonic() },
    ...{ commits, changes, driverCalls, faults, judgements },
    ...(failure === undefined ? {} : { failure }),
    ...(failure === undefined && !timeline ? {} : { timeline: world.timeline }),
  };
}

/** The world's first control plane has started by then. */
function attach(world: World, observer: Observer & Pick<Checker, "begin">): void {
  observer.begin?.(world);
  world.observe(observer);
  if (world.server.store) observer.started?.(world.server.store);
}

/** What a checker or the scenario itself found; anything else that was thrown is a failure as well. */
async function outcome(
  world: World,
  scenario: Scenario,
  checkers: readonly Checker[],
): Promise<SeedFailure | undefined> {
  try {
    await scenario.run(world);
    for (const checker of checkers) await checker.settled?.(world);
    return undefined;
  } catch (error) {
    if (error instanceof SimFailure) return { rule: error.rule, message: error.message };
    return { rule: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
