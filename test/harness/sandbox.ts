/** A temporary folder with daemons in it that is swept when the test is done, fails or is killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Leftovers, noteLeftovers, sweep } from "./sweep.ts";

export interface Sandbox {
  readonly dir: string;
  /** Starts a daemon whose output goes to `<name>.log`; `prefix` comes before its words (nsenter …). */
  spawn(name: string, argv: readonly string[]): ChildProcess;
  /** Kills and removes everything. Idempotent. */
  stop(): void;
}

export function makeSandbox(kind: string, leftovers: (dir: string) => Leftovers): Sandbox {
  const dir = mkdtempSync(join(tmpdir(), `styr-${kind}-`));
  noteLeftovers(dir, leftovers(dir));
  const reaper = spawn(process.execPath, [fileURLToPath(new URL("reaper.ts", import.meta.url)), dir], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  reaper.unref();
  (reaper.stdin as unknown as { unref(): void }).unref();
  return {
    dir,
    spawn: (name, argv) => spawnDaemon(dir, name, argv),
    stop: () => {
      sweep(dir);
      reaper.kill("SIGKILL");
    },
  };
}

function spawnDaemon(dir: string, name: string, [file = "", ...args]: readonly string[]): ChildProcess {
  mkdirSync(dir, { recursive: true });
  const log = openSync(join(dir, `${name}.log`), "a");
  const child = spawn(file, args, { detached: true, stdio: ["ignore", log, log], cwd: dir });
  child.unref();
  return child;
}

const START_DEADLINE_MS = 30_000;

/** Waits until `check` gives true; on failure shows the end of the daemon's log. */
export async function waitForDaemon(dir: string, name: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!(await check())) {
    if (Date.now() > deadline) {
      const log = readFileSync(join(dir, `${name}.log`), "utf8");
      throw new Error(`${name} did not answer within ${START_DEADLINE_MS} ms; its log ends:\n${log.slice(-2000)}`);
    }
    await sleep(25);
  }
}
