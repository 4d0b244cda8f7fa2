/**
 * `npm run sim`: one seed of one scenario, for people. Ends with 1 when a rule was broken, and says how to see it again.
 * A planted bug goes in before anything of the product is imported; so the imports below are made when they are needed.
 */
import { CELL, parseSimOptions, SIM_HELP, type SimOptions } from "./main-options.ts";
import { plantBug } from "./plant/plant-bug.ts";
import { plantedBug, plantedBugs } from "./plant/planted-bugs.ts";
import { plantedLines, unnoticedWords } from "./plant/where-noticed.ts";

async function main(): Promise<number> {
  let options: SimOptions | "list" | "help";
  try {
    options = parseSimOptions(process.argv.slice(2));
    if (typeof options !== "string" && options.plant !== undefined) plantBug(plantedBug(options.plant));
  } catch (error) {
    console.error(`${(error as Error).message}\nall options: npm run sim -- --help`);
    return 2;
  }
  if (options === "list") return await list();
  if (options === "help") return help();
  return options.scenario === CELL ? await measureCell(options) : await runOne(options);
}

function help(): number {
  for (const line of SIM_HELP) console.log(line);
  return 0;
}

async function list(): Promise<number> {
  const { scenarios } = await import("./scenarios/index.ts");
  const { hour } = await import("./hour.ts");
  console.log("scenarios (--scenario NAME):");
  for (const { name, about } of [...scenarios, hour]) console.log(`${name.padEnd(34)} ${about}`);
  console.log(`${CELL.padEnd(34)} how a large cluster is filled, loses a zone and heals, and what that costs`);
  console.log("\nbugs that can be planted (--plant NAME), and what notices them:");
  for (const line of plantedLines(plantedBugs)) console.log(line);
  return 0;
}

async function measureCell({ nodes, pods, seed, movesPerSecond }: SimOptions): Promise<number> {
  const { runCell } = await import("./scenarios/cell/cell.ts");
  const { cellTable } = await import("./scenarios/cell/cell-table.ts");
  const report = await runCell(
    { nodes, pods, seed, ...(movesPerSecond === undefined ? {} : { movesPerSecond }) },
    (line) => console.log(line),
  );
  console.log(`\n${cellTable(report, new Date())}`);
  return 0;
}

async function runOne({ seed, scenario: name, timeline, plant }: SimOptions): Promise<number> {
  const { hour } = await import("./hour.ts");
  const { runScenario } = await import("./swarm/run-seed.ts");
  const { scenarios } = await import("./scenarios/index.ts");
  const { allowLateRejections } = await import("./swarm/late-rejections.ts");
  const { failureLines } = await import("./swarm/summary.ts");
  const { commitId } = await import("./swarm/commit-id.ts");
  const scenario = [...scenarios, hour].find((one) => one.name === name);
  if (!scenario) {
    console.error(`there is no scenario "${name}"; see them with: npm run sim -- --list`);
    return 2;
  }
  allowLateRejections();
  const began = process.cpuUsage();
  const result = await runScenario(seed, scenario, { timeline });
  const { user, system } = process.cpuUsage(began);
  for (const line of result.timeline ?? []) console.log(line);
  const { virtualMs, commits, changes, driverCalls, traceHash, failure } = result;
  const cpuSeconds = ((user + system) / 1e6).toFixed(1);
  console.log(`${scenario.name}: ${scenario.about}`);
  console.log(
    `seed ${seed}: ${(virtualMs / 1000).toFixed(1)} virtual seconds in ${cpuSeconds} s of processor time, ` +
      `${commits} commits (${changes} changes), ${driverCalls} driver calls, trace ${traceHash.slice(0, 16)}`,
  );
  if (failure) {
    for (const line of failureLines(result, commitId(), plant)) console.log(line);
    return 1;
  }
  if (plant === undefined) return 0;
  console.log(unnoticedWords(plantedBug(plant)));
  return 3;
}

process.exitCode = await main();
