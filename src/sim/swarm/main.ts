/** `npm run sim:swarm`: many seeds in two processes; goes on after a failure, and ends with 1 when there was one. */
import { plantedBug } from "../plant/planted-bugs.ts";
import { unnoticedWords } from "../plant/where-noticed.ts";
import { commitId } from "./commit-id.ts";
import { parseSwarmOptions, SWARM_HELP, type SwarmOptions } from "./options.ts";
import { runJobs } from "./run-jobs.ts";
import { findScenario } from "./run-seed.ts";
import { failureLines, Summary } from "./summary.ts";

const PROGRESS_MS = 5_000;

async function main(): Promise<number> {
  let options: SwarmOptions | "help";
  try {
    options = parseSwarmOptions(process.argv.slice(2));
    if (options !== "help") checkNames(options);
  } catch (error) {
    console.error(`${(error as Error).message}\nall options: npm run sim:swarm -- --help`);
    return 2;
  }
  if (options === "help") {
    for (const line of SWARM_HELP) console.log(line);
    return 0;
  }
  return await runAll(options);
}

/** Before any worker starts; throws with one sentence. */
function checkNames({ scenario, plant }: SwarmOptions): void {
  if (scenario === "hour" || scenario === "cell")
    throw new Error(`"${scenario}" is one measurement, not many seeds: npm run sim -- --scenario ${scenario}`);
  findScenario(scenario);
  if (plant !== undefined) plantedBug(plant);
}

async function runAll(options: SwarmOptions): Promise<number> {
  const { from, seeds, minutes, scenario, plant, workers } = options;
  const summary = new Summary();
  const began = performance.now();
  const endMs = minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000;
  const commit = commitId();
  let given = 0;
  const progress = setInterval(() => console.log(progressLine(summary, performance.now() - began)), PROGRESS_MS);
  await runJobs({
    workers,
    plant,
    next: () => {
      if (given >= (seeds ?? Number.POSITIVE_INFINITY) || performance.now() - began > endMs) return undefined;
      return { seed: from + given++, scenario };
    },
    finished: ({ result, ms }) => {
      summary.add(result, ms);
      if (result.failure) for (const line of failureLines(result, commit, plant)) console.log(line);
    },
  });
  clearInterval(progress);
  console.log("");
  for (const line of summary.lines()) console.log(line);
  for (const result of summary.failures) console.log(`\n${failureLines(result, commit, plant).join("\n")}`);
  return ending(summary, plant);
}

/** A seed that fails is cut short, so that nothing is said of idle rules where a bug is planted. */
function ending({ failures, idle }: Summary, plant: string | undefined): number {
  if (plant === undefined && idle.length > 0) console.log(`\nFAILED: nothing was judged by ${idle.join(", ")}`);
  if (failures.length > 0) return 1;
  if (plant === undefined) return idle.length > 0 ? 1 : 0;
  console.log(`\n${unnoticedWords(plantedBug(plant))}`);
  return 3;
}

function progressLine({ seeds, failures, virtualHours }: Summary, ms: number): string {
  return `${(ms / 1000).toFixed(0)} s: ${seeds} seeds, ${virtualHours.toFixed(1)} virtual hours, ${failures.length} failed`;
}

process.exitCode = await main();
