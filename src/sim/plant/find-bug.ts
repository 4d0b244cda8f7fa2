/** Looks for a planted bug where the list says that it is found. */
import { type Finished, runJobs } from "../swarm/run-jobs.ts";
import type { SeedResult } from "../swarm/seed-result.ts";
import type { PlantedBug } from "./planted-bug.ts";

export interface Hunt {
  readonly bug: PlantedBug;
  /** The first seed that failed by a rule that it should fail by. */
  readonly found: SeedResult | undefined;
  /** Seeds run, that one included. */
  readonly seeds: number;
  /** Processor time. */
  readonly ms: number;
  /** Rules that were broken beside the expected ones. */
  readonly others: readonly string[];
  readonly isPlanted: boolean;
}

/** One seed after another, in one process, until it is found or the seeds are used up. */
export async function findBug(bug: PlantedBug): Promise<Hunt> {
  const { name: plant, scenario = "swarm", from = 1, seeds: most, foundBy } = bug;
  let [seeds, ms, isPlanted] = [0, 0, false];
  let found: SeedResult | undefined;
  const others = new Set<string>();
  const next = () => (found || seeds >= most ? undefined : { seed: from + seeds, scenario });
  const finished = ({ result, ms: took, planted }: Finished) => {
    seeds++;
    ms += took;
    isPlanted ||= planted;
    const rule = result.failure?.rule;
    if (rule === undefined) return;
    if (foundBy.includes(rule)) found = result;
    else others.add(rule === "error" ? `error: ${result.failure?.message.split("\n")[0]}` : rule);
  };
  await runJobs({ workers: 1, plant, next, finished });
  return { bug, found, seeds, ms, others: [...others], isPlanted };
}

/** `bind-without-fit   seed 3, after 3 seeds: no-oversold: …`. */
export function huntLine({ bug, found, seeds, ms, others, isPlanted }: Hunt): string {
  const head = bug.name.padEnd(32);
  const took = `${seeds} ${seeds === 1 ? "seed" : "seeds"}, ${(ms / 1000).toFixed(1)} s`;
  if (found)
    return `${head} ${bug.scenario ?? "swarm"} seed ${found.seed} (${took})  ${found.failure?.rule}: ${found.failure?.message.slice(0, 140)}`;
  if (!isPlanted) return `${head} NOT PLANTED: ${bug.file} was not loaded (${took})`;
  return `${head} NOT FOUND in ${bug.scenario ?? "swarm"} (${took})${others.length > 0 ? `; broken instead: ${others.join(", ")}` : ""}`;
}
