/** `npm test`: installs what the suites need, runs the checks and every suite, names what did not run, and ends with one line of numbers. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { installPrerequisites } from "./prerequisites.ts";

const ROOT = join(import.meta.dirname, "..");

interface Stage {
  readonly name: string;
  readonly files: readonly string[];
  /** Suites that start daemons take turns; pure ones share the cores. */
  readonly concurrency: number;
  readonly timeoutMs: number;
}

const STAGES: readonly Stage[] = [
  { name: "pure", files: ["src/**/*.test.ts", "scripts/*.test.ts"], concurrency: 2, timeoutMs: 120_000 },
  {
    name: "conformance",
    files: ["test/conformance/**/*.test.ts", "test/cli/**/*.test.ts"],
    concurrency: 2,
    timeoutMs: 180_000,
  },
  { name: "durability", files: ["test/durability/**/*.test.ts"], concurrency: 1, timeoutMs: 300_000 },
  {
    name: "contract",
    files: ["test/harness/**/*.test.ts", "test/contract/**/*.test.ts"],
    concurrency: 2,
    timeoutMs: 300_000,
  },
  { name: "several servers", files: ["test/ha/**/*.test.ts"], concurrency: 1, timeoutMs: 300_000 },
  // Each of its tests runs seeds in two processes of its own.
  { name: "sim", files: ["test/sim/**/*.test.ts"], concurrency: 1, timeoutMs: 900_000 },
  { name: "end to end", files: ["test/e2e/**/*.test.ts"], concurrency: 2, timeoutMs: 420_000 },
  { name: "lab", files: ["test/lab/**/*.test.ts"], concurrency: 1, timeoutMs: 900_000 },
];

interface Tally {
  passed: number;
  failed: number;
  readonly failures: string[];
  readonly notRun: string[];
}

async function runStage(stage: Stage, tally: Tally): Promise<void> {
  const only = process.argv.slice(2);
  const files = globSync([...stage.files], { cwd: ROOT })
    .sort()
    .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
    .map((file) => join(ROOT, file));
  if (files.length === 0) {
    // With a filter an empty stage is what was asked for; without one it is a suite that got lost.
    if (only.length === 0) count(tally, `stage ${stage.name} found no test file`);
    return;
  }
  console.log(`\n=== ${stage.name}: ${files.length} files`);
  const started = performance.now();
  const stream = run({
    files,
    concurrency: stage.concurrency,
    timeout: stage.timeoutMs,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  stream.on("test:pass", ({ name, skip, details, file }) => {
    if (skip !== undefined) tally.notRun.push(`${name}: ${typeof skip === "string" ? skip : "skipped"}`);
    else if (details.type !== "suite" && name !== file) tally.passed++;
  });
  stream.on("test:fail", ({ name, details, file }) => {
    if (details.type === "suite" && /subtest/.test(String(details.error.message))) return;
    count(tally, `${name} (${file?.replace(`${ROOT}/`, "") ?? "?"})`);
  });
  for await (const line of stream.compose(spec)) process.stdout.write(line);
  console.log(`=== ${stage.name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** Tests that would pass for ever, as nobody runs them. */
function lostFiles(): readonly string[] {
  const run = new Set(STAGES.flatMap(({ files }) => globSync([...files], { cwd: ROOT })));
  const all = globSync(["src/**/*.test.ts", "scripts/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"], {
    cwd: ROOT,
  });
  return all.filter((file) => !run.has(file)).sort();
}

function count(tally: Tally, failure: string): void {
  tally.failed++;
  tally.failures.push(failure);
}

async function main(): Promise<void> {
  const tally: Tally = { passed: 0, failed: 0, failures: [], notRun: [] };
  const { missing, why } = installPrerequisites();
  for (const name of missing) tally.notRun.push(`everything that needs ${name}: ${why}`);
  if (process.argv.length === 2) {
    const { status } = spawnSync(process.execPath, [join(ROOT, "scripts/check.ts")], { cwd: ROOT, stdio: "inherit" });
    if (status === 0) tally.passed++;
    else count(tally, "the checks (npm run check)");
  }
  for (const file of lostFiles()) count(tally, `${file} is a test that no stage runs`);
  for (const stage of STAGES) await runStage(stage, tally);

  console.log("");
  for (const line of tally.failures) console.log(`FAILED   ${line}`);
  for (const line of tally.notRun) console.log(`NOT RUN  ${line}`);
  console.log(
    `${tally.passed} passed, ${tally.failed} failed${tally.notRun.length > 0 ? `, ${tally.notRun.length} skipped` : ""}`,
  );
  process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

await main();
