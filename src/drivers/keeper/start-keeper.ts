import { spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectTo } from "../../lib/socket-path.ts";
import { DriverError } from "../driver.ts";
import { writeProgram } from "./program.ts";
import { ALREADY_KEPT, LOCK_NAME, openSocketPath } from "./state-dir.ts";

export interface KeeperPlace {
  /** The keeper's own directory: records, socket, lock, log. */
  readonly stateDir: string;
  /** Default `styrmann`. Counts when the keeper starts. */
  readonly cgroupRoot?: string;
}

const START_DEADLINE_MS = 15_000;
const LARGEST_LOG = 1024 * 1024;

/** Makes sure that a keeper runs for this directory; resolves when it answers. DriverError with its last words if it does not. */
export async function startKeeper(place: KeeperPlace): Promise<void> {
  const socket = await openConnection(place.stateDir);
  if (socket) return void socket.destroy();
  await launchKeeper(place);
}

/** A connection to the keeper of this directory; undefined when there is none. */
export async function openConnection(stateDir: string): Promise<Socket | undefined> {
  const directory = resolve(stateDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    return await connectTo(openSocketPath(directory));
  } catch (error) {
    throw unreachableKeeper((error as Error).message, error);
  }
}

/** In a session of its own, so that no signal to styr's process group reaches it; it leaves styr's cgroup by itself. */
async function launchKeeper({ stateDir, cgroupRoot = "styrmann" }: KeeperPlace): Promise<void> {
  const directory = resolve(stateDir);
  const { main } = writeProgram(join(directory, "program"));
  const log = openSync(join(directory, "keeper.log"), "a", 0o600);
  if (fstatSync(log).size > LARGEST_LOG) ftruncateSync(log);
  const flags = ["--max-semi-space-size=1", "--max-old-space-size=128", "--v8-pool-size=0"];
  const child = spawn(process.execPath, [...flags, main, directory, cgroupRoot], {
    detached: true,
    cwd: "/",
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const ended = new Promise<number | null>((done) => {
    child.once("exit", done);
    child.once("error", () => done(-1));
  });
  child.unref();
  await untilAnswering(directory, ended);
}

async function untilAnswering(stateDir: string, ended: Promise<number | null>): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  let code: number | null | undefined;
  void ended.then((value) => {
    code = value;
  });
  while (performance.now() < deadline) {
    const socket = await openConnection(stateDir);
    if (socket) return void socket.destroy();
    // Another one holds the lock and is about to listen: go on waiting for it.
    if (code !== undefined && code !== ALREADY_KEPT) throw unreachableKeeper(`it ended: ${lastWords(stateDir)}`);
    await delay(20);
  }
  throw unreachableKeeper(`it did not answer within ${START_DEADLINE_MS / 1000} s: ${lastWords(stateDir)}`);
}

/** What the keeper wrote when it took the lock: who it is, for when it does not answer. */
export function keeperPid(stateDir: string): string {
  const path = join(resolve(stateDir), LOCK_NAME);
  const text = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  return text === "" ? "unknown" : text;
}

function lastWords(stateDir: string): string {
  const lines = readFileSync(join(stateDir, "keeper.log"), "utf8").trim().split("\n");
  return lines.findLast((line) => /Error|cannot|refus/.test(line)) ?? lines.at(-1) ?? "no words";
}

export function unreachableKeeper(message: string, cause?: unknown): DriverError {
  return new DriverError(`the process keeper cannot be reached: ${message}`, {
    temporary: true,
    reason: "KeeperUnreachable",
    cause,
  });
}
