/** Test files run as one stage: what they say, line by line, and what became of them. */
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

export const ROOT = join(import.meta.dirname, "..");

export interface Stage {
  readonly name: string;
  readonly files: readonly string[];
  /** How many files run at the same time. */
  readonly concurrency: number;
  /** Of one test. */
  readonly timeoutMs: number;
  /** Of all of it: a file whose tests are over and that does not end would hold up everything. Default 20 minutes. */
  readonly limitMs?: number;
  /** Only reckons, and waits for nobody: it takes what processor time the stages after it leave. */
  readonly isBeside?: true;
  /** Begins when those beside have ended. */
  readonly isAlone?: true;
}

export interface Tally {
  passed: number;
  failed: number;
  readonly failures: string[];
  readonly notRun: string[];
}

export function emptyTally(): Tally {
  return { passed: 0, failed: 0, failures: [], notRun: [] };
}

export function count(tally: Tally, failure: string): void {
  tally.failed++;
  tally.failures.push(failure);
}

export function add(tally: Tally, more: Tally): void {
  tally.passed += more.passed;
  tally.failed += more.failed;
  tally.failures.push(...more.failures);
  tally.notRun.push(...more.notRun);
}

const LIMIT_MS = 20 * 60_000;
const MOST_LINES = 12;
const LONGEST_LINE = 240;

/** The first lines of what it failed with, for the end of the output: whoever looks there need not search. */
export function wordsOf(error: Error): string {
  const { message } = error.cause instanceof Error ? error.cause : error;
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  return lines
    .slice(0, MOST_LINES)
    .map((line) => `\n           ${line.slice(0, LONGEST_LINE)}`)
    .join("");
}

/** `files` are whole paths. */
export async function runStage(stage: Stage, files: readonly string[], tally: Tally): Promise<void> {
  console.log(`\n=== ${stage.name}: ${files.length} files`);
  const started = performance.now();
  const stream = run({
    files: [...files],
    concurrency: stage.concurrency,
    timeout: stage.timeoutMs,
    signal: AbortSignal.timeout(stage.limitMs ?? LIMIT_MS),
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  stream.on("test:pass", ({ name, skip, details, file }) => {
    if (skip !== undefined) tally.notRun.push(`${name}: ${typeof skip === "string" ? skip : "skipped"}`);
    else if (details.type !== "suite" && name !== file) tally.passed++;
  });
  stream.on("test:fail", ({ name, details, file }) => {
    if (details.type === "suite" && /subtest/.test(String(details.error.message))) return;
    count(tally, `${name} (${file?.replace(`${ROOT}/`, "") ?? "?"})${wordsOf(details.error)}`);
  });
  for await (const line of stream.compose(spec)) process.stdout.write(line);
  console.log(`=== ${stage.name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
