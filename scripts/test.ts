/** `npm test`: installs what the suites need, runs the checks and every suite, names what did not run, and ends with one line of numbers. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { type Beside, type Ended, reportBack, startBeside, stepBack } from "./beside.ts";
import { installPrerequisites } from "./prerequisites.ts";
import { add, count, emptyTally, ROOT, runStage, type Stage, type Tally } from "./suite.ts";

/**
 * Two cores are meant. A stage that reckons runs two files at a time; those that start daemons and wait for them half of the time run three;
 * the lab, which measures how long a loss is felt, runs alone.
 */
const STAGES: readonly Stage[] = [
  { name: "pure", files: ["src/**/*.test.ts", "scripts/*.test.ts"], concurrency: 2, timeoutMs: 120_000 },
  {
    name: "conformance",
    files: ["test/conformance/**/*.test.ts", "test/cli/**/*.test.ts"],
    concurrency: 2,
    timeoutMs: 180_000,
  },
  // Each of its tests runs seeds in two processes of its own. What it promises of speed it measures in processor time.
  {
    name: "sim",
    files: ["test/sim/**/*.test.ts"],
    concurrency: 1,
    timeoutMs: 1_800_000,
    limitMs: 2_400_000,
    isBeside: true,
  },
  { name: "durability", files: ["test/durability/**/*.test.ts"], concurrency: 1, timeoutMs: 600_000 },
  {
    name: "contract",
    files: ["test/harness/**/*.test.ts", "test/contract/**/*.test.ts"],
    concurrency: 3,
    timeoutMs: 300_000,
  },
  { name: "several servers", files: ["test/ha/**/*.test.ts"], concurrency: 2, timeoutMs: 300_000 },
  { name: "end to end", files: ["test/e2e/**/*.test.ts"], concurrency: 3, timeoutMs: 600_000 },
  { name: "lab", files: ["test/lab/**/*.test.ts"], concurrency: 1, timeoutMs: 900_000 },
];

const BESIDE = "--beside";
const WARNINGS = ["--disable-warning=ExperimentalWarning"];
/** `npm test -- marathon`: only files whose path has this in it. */
const asked = process.argv.slice(2);

function filesOf({ files }: Stage): readonly string[] {
  return globSync([...files], { cwd: ROOT })
    .sort()
    .filter((file) => asked.length === 0 || asked.some((part) => file.includes(part)))
    .map((file) => join(ROOT, file));
}

/** Tests that would pass for ever, as nobody runs them. */
function lostFiles(): readonly string[] {
  const run = new Set(STAGES.flatMap(({ files }) => globSync([...files], { cwd: ROOT })));
  const all = globSync(["src/**/*.test.ts", "scripts/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"], {
    cwd: ROOT,
  });
  return all.filter((file) => !run.has(file)).sort();
}

/** In turn; what is beside them says what it has to say between two of them, or at the end. */
async function runAll(tally: Tally): Promise<void> {
  let beside: readonly Beside[] = [];
  for (const stage of STAGES) {
    const files = filesOf(stage);
    if (files.length === 0) {
      // With a filter an empty stage is what was asked for; without one it is a suite that got lost.
      if (asked.length === 0) count(tally, `stage ${stage.name} found no test file`);
    } else if (stage.isBeside && asked.length === 0) {
      beside = [
        ...beside,
        startBeside(stage.name, [process.execPath, ...WARNINGS, import.meta.filename, BESIDE, stage.name]),
      ];
    } else await runStage(stage, files, tally);
    for (const one of beside) tell(one.now(), tally);
    beside = beside.filter((one) => !one.now());
  }
  for (const one of beside) tell(await one.ended, tally);
}

function tell(ended: Ended | undefined, tally: Tally): void {
  if (!ended) return;
  process.stdout.write(ended.output);
  add(tally, ended.tally);
}

/** This very file as the process that is beside the others. */
async function runBeside(name: string): Promise<void> {
  stepBack();
  const tally = emptyTally();
  const stage = STAGES.find((one) => one.name === name);
  if (!stage) throw new Error(`there is no stage ${name}`);
  const files = globSync([...stage.files], { cwd: ROOT }).sort();
  await runStage(
    stage,
    files.map((file) => join(ROOT, file)),
    tally,
  );
  await reportBack(tally);
}

async function main(): Promise<void> {
  const tally = emptyTally();
  const { missing, why } = installPrerequisites();
  for (const name of missing) tally.notRun.push(`everything that needs ${name}: ${why}`);
  if (asked.length === 0) {
    const { status } = spawnSync(process.execPath, [join(ROOT, "scripts/check.ts")], { cwd: ROOT, stdio: "inherit" });
    if (status === 0) tally.passed++;
    else count(tally, "the checks (npm run check)");
  }
  for (const file of lostFiles()) count(tally, `${file} is a test that no stage runs`);
  await runAll(tally);

  console.log("");
  for (const line of tally.failures) console.log(`FAILED   ${line}`);
  for (const line of tally.notRun) console.log(`NOT RUN  ${line}`);
  console.log(
    `${tally.passed} passed, ${tally.failed} failed${tally.notRun.length > 0 ? `, ${tally.notRun.length} skipped` : ""}`,
  );
  process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

// Half of what a test file costs is reading the program, which is the same each time.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, "node_modules/.cache/styr");
await (asked[0] === BESIDE ? runBeside(asked[1] ?? "") : main());
