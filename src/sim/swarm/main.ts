/** `npm run sim:swarm`: many seeds in two processes; goes on after a failure, and ends with 1 when there was one. */
import { commitId } from "./commit-id.ts";
import { parseSwarmOptions, SWARM_USAGE, type SwarmOptions } from "./options.ts";
import { runJobs } from "./run-jobs.ts";
import { failureLines, Summary } from "./summary.ts";

const PROGRESS_MS = 5_000;

async function main(): Promise<number> {
  let options: SwarmOptions;
  try {
    options = parseSwarmOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n${SWARM_USAGE}`);
    return 2;
  }
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
  if (summary.idle.length > 0) console.log(`\nFAILED: nothing was judged by ${summary.idle.join(", ")}`);
  return summary.failures.length > 0 || summary.idle.length > 0 ? 1 : 0;
}

function progressLine({ seeds, failures, virtualHours }: Summary, ms: number): string {
  return `${(ms / 1000).toFixed(0)} s: ${seeds} seeds, ${virtualHours.toFixed(1)} virtual hours, ${failures.length} failed`;
}

process.exitCode = await main();
