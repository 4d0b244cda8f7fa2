import type { Scenario, World } from "../contract.ts";
import { drawCluster } from "../draw/cluster.ts";
import { drawPlan } from "../draw/plan.ts";
import type { Step } from "../draw/step.ts";
import { healAndSettle, waitFor } from "./heal.ts";

/** Everything is drawn: machines, workloads, what users do and what breaks. The checkers judge. */
export const swarm: Scenario = {
  name: "swarm",
  about: "a drawn cluster of 1 to 200 nodes with drawn workloads, users and faults",
  size: drawCluster,
  async run(world) {
    const nodes = [...world.hosts.values()].map(({ name, zone }) => ({ name, zone, cpuMillis: 0, memoryBytes: 0 }));
    const plan = drawPlan(world.random.fork("plan"), { nodes });
    const underWay = new Set<Promise<void>>();
    const beganMs = world.clock.monotonic();
    for (const step of plan.steps) {
      await runTo(world, beganMs + step.atMs);
      begin(world, step, underWay);
    }
    await runTo(world, beganMs + plan.untilMs);
    world.network.heal();
    await waitFor(world, Promise.all(underWay));
    await healAndSettle(world);
  },
};

async function runTo(world: World, atMs: number): Promise<void> {
  const ms = atMs - world.clock.monotonic();
  if (ms > 0) await world.run(ms);
}

function begin(world: World, step: Step, underWay: Set<Promise<void>>): void {
  world.note(step.words);
  const done = Promise.resolve(step.perform(world));
  underWay.add(done);
  // Whoever waits for all of them hears of a failure.
  done.then(
    () => underWay.delete(done),
    () => undefined,
  );
}
