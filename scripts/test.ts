/** `npm test`: installs what the suites need, runs the checks and every suite, names what did not run, and ends with one line of numbers. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { type Beside, type Ended, reportBack, startBeside, stepBack } from "./beside.ts";
import { installPrerequisites } from "./prerequisites.ts";
import { add, count, emptyTally, ROOT, runStage, type Stage, type Tally } from "./suite.ts";

/**
 * Two cores are meant. A stage that reckons runs two files at a time; those that start daemons and wait for them half of the time run three;
 * the labs, which measure how long a loss is felt, have the machine to themselves: two at once, as they wait for most of their time.
 */
const STAGES: readonly Stage[] = [
  { name: "pure", files: ["src/**/*.test.ts", "scripts/*.test.ts"], concurrency: 2, timeoutMs: 120_000 },
  {
    name: "conformance",
    files: ["test/conformance/**/*.test.ts", "test/cli/**/*.test.ts"],
    concurrency: 2,
    timeoutMs: 180_000,
  },
  // Both start processes of their own, two at a time, and ask nothing of the clock: what the simulator promises of speed is processor time.
  {
    ...{ name: "durability", files: ["test/durability/**/*.test.ts"], isBeside: true },
    ...{ concurrency: 1, timeoutMs: 1_200_000 },
  },
  { name: "sim", files: ["test/sim/**/*.test.ts"], isBeside: true, concurrency: 1, timeoutMs: 1_200_000 },
  {
    name: "contract",
    files: ["test/harness/**/*.test.ts", "test/contract/**/*.test.ts"],
    concurrency: 3,
    timeoutMs: 300_000,
  },
  { name: "several servers", files: ["test/ha/**/*.test.ts"], concurrency: 2, timeoutMs: 300_000 },
  {
    name: "end to end",
    files: ["test/e2e/**/*.test.ts", "test/lab/hosts.test.ts"],
    concurrency: 3,
    timeoutMs: 600_000,
  },
  {
    // The longest first: two at once, and the third when one of them has ended.
    ...{
      name: "lab",
      files: ["network", "cluster", "guestbook"].map((name) => `test/lab/${name}.test.ts`),
      isAlone: true,
    },
    ...{ concurrency: 2, timeoutMs: 900_000 },
  },
];

const BESIDE = "--beside";
const WARNINGS = ["--disable-warning=ExperimentalWarning"];
/** `npm test -- marathon`: only files whose path has this in it. */
const asked = process.argv.slice(2);

function filesOf({ files }: Stage): readonly string[] {
  return files
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }).sort())
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

/** In turn; those beside them say what they have to say when they have ended and nobody else speaks. */
async function runAll(tally: Tally): Promise<void> {
  const names = asked.length > 0 ? [] : STAGES.filter(({ isBeside }) => isBeside).map(({ name }) => name);
  let beside: Beside | undefined;
  for (const stage of STAGES) {
    const files = filesOf(stage);
    // With a filter an empty stage is what was asked for; without one it is a suite that got lost.
    if (files.length === 0 && asked.length === 0) count(tally, `stage ${stage.name} found no test file`);
    if (stage.name === names[0]) {
      beside = startBeside(names.join(", "), [process.execPath, ...WARNINGS, import.meta.filename, BESIDE, ...names]);
    }
    if (files.length === 0 || names.includes(stage.name)) continue;
    if (stage.isAlone) beside = tell(await beside?.ended, tally);
    await runStage(stage, files, tally);
    if (beside?.now()) beside = tell(beside.now(), tally);
  }
  tell(await beside?.ended, tally);
}

function tell(ended: Ended | undefined, tally: Tally): undefined {
  if (!ended) return;
  process.stdout.write(ended.output);
  add(tally, ended.tally);
}

/** This very file as the process that is beside the others. */
async function runBeside(names: readonly string[]): Promise<void> {
  stepBack();
  const tally = emptyTally();
  for (const stage of STAGES.filter(({ name }) => names.includes(name))) {
    const files = globSync([...stage.files], { cwd: ROOT }).sort();
    await runStage(
      stage,
      files.map((file) => join(ROOT, file)),
      tally,
    );
  }
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
await (asked[0] === BESIDE ? runBeside(asked.slice(1)) : main());
