import { spawn, spawnSync } from "node:child_process";

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For the small commands that lay cables and mounts; throws with what they said. */
export function must(file: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${[file, ...args].join(" ")}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** What a lab's programs are given; nothing of the test's own environment, as in a fresh login. */
export const LAB_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  NO_COLOR: "1",
};

/** Waits for the end; the end by a signal, also for running out of time, is code 128. */
export function run([file = "", ...args]: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { env = {}, input, timeoutMs = 120_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...LAB_ENV, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (data) => (stdout += data));
    child.stderr?.on("data", (data) => (stderr += data));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 128, stdout, stderr }));
    // A command may end without reading what it is given.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
