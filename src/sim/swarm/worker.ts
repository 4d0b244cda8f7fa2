/**
 * A process that runs seeds for the swarm, one after another. A planted bug goes in before anything of the product is
 * imported; so the imports below are made when they are needed.
 */
import { plantBug } from "../plant/plant-bug.ts";
import { plantedBug } from "../plant/planted-bugs.ts";
import { allowLateRejections } from "./late-rejections.ts";
import type { SeedResult } from "./seed-result.ts";

export interface Job {
  readonly seed: number;
  readonly scenario: string;
}

export type WorkerMessage =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly result: SeedResult; readonly ms: number; readonly planted: boolean };

const [plant] = process.argv.slice(2);
const isPlanted = plant === undefined ? () => false : plantBug(plantedBug(plant));
const { runSeed } = await import("./run-seed.ts");
const { cpuMs } = await import("./cpu-time.ts");

process.on("message", (job: Job) => {
  const before = cpuMs();
  runSeed(job.seed, job.scenario).then(
    (result) => say({ type: "result", result, ms: cpuMs() - before, planted: isPlanted() }),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
allowLateRejections();
say({ type: "ready" });

function say(message: WorkerMessage): void {
  process.send?.(message);
}
