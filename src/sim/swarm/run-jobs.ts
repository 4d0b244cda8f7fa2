/** Runs seeds in worker processes, as many at once as asked for, and gives the results in the order in which they end. */
import { fork } from "node:child_process";
import { join } from "node:path";
import type { SeedResult } from "./seed-result.ts";
import type { Job, WorkerMessage } from "./worker.ts";

export interface Finished {
  readonly result: SeedResult;
  /** Processor time. */
  readonly ms: number;
  /** The planted bug's file was loaded. */
  readonly planted: boolean;
}

export interface RunJobsOptions {
  readonly workers: number;
  readonly plant?: string | undefined;
  /** A seed that takes longer (of real time) hangs. Default 180 s. */
  readonly limitMs?: number;
  /** The next one; undefined: no more. */
  readonly next: () => Job | undefined;
  readonly finished: (finished: Finished) => void;
}

const WORKER = join(import.meta.dirname, "worker.ts");
const LIMIT_MS = 180_000;

export async function runJobs(options: RunJobsOptions): Promise<void> {
  const lanes = Array.from({ length: options.workers }, () => lane(options));
  await Promise.all(lanes);
}

/** One worker after another until there are no more jobs: one that breaks costs its own seed only. */
async function lane(options: RunJobsOptions): Promise<void> {
  let isDone = false;
  while (!isDone) isDone = await oneWorker(options);
}

/** True when there was nothing left to do. */
function oneWorker({ plant, limitMs = LIMIT_MS, next, finished }: RunJobsOptions): Promise<boolean> {
  const child = fork(WORKER, plant === undefined ? [] : [plant], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  let job: Job | undefined;
  let words = "";
  let timer: NodeJS.Timeout | undefined;
  let isHung = false;
  child.stderr?.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4_000);
  });
  return new Promise((resolve, reject) => {
    let isDone = false;
    const give = () => {
      clearTimeout(timer);
      job = next();
      if (job === undefined) {
        isDone = true;
        child.disconnect();
        return;
      }
      child.send(job);
      timer = setTimeout(() => {
        isHung = true;
        child.kill("SIGKILL");
      }, limitMs);
    };
    child.on("message", (message: WorkerMessage) => {
      if (message.type === "result") {
        job = undefined;
        finished(message);
      }
      give();
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      if (job) finished({ result: broken(job, isHung ? hung(limitMs) : died(code, words)), ms: 0, planted: true });
      else if (!isDone) reject(new Error(`a worker of the swarm did not start: ${died(code, words)}`));
      resolve(isDone);
    });
  });
}

function hung(limitMs: number): string {
  return `the simulator did not come to an end within ${limitMs / 1000} s`;
}

function died(code: number | null, words: string): string {
  return `the process ended with ${code ?? "a signal"}: ${words.trim() || "it said nothing"}`;
}

function broken({ seed, scenario }: Job, message: string): SeedResult {
  const nothing = { traceHash: "", virtualMs: 0, commits: 0, changes: 0, driverCalls: 0, faults: {}, judgements: {} };
  return { seed, scenario, ...nothing, failure: { rule: "error", message } };
}
