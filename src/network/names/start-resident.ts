/** The server of names as a process of its own: found, started, or ended. */
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import type { Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { writeFreestanding } from "../../lib/freestanding-program.ts";
import { connectTo, shortSocketPath } from "../../lib/socket-path.ts";
import type { Clock } from "../../seams/clock.ts";
import type { NamesConfig } from "./resident/config.ts";
import { pidFile, socketFile, versionsIn } from "./resident-files.ts";

export interface ResidentPlace {
  readonly folder: string;
  readonly clock: Clock;
  /** Words before its command line; tests put it into a network namespace. */
  readonly launcher?: readonly string[];
}

export interface ResidentProgram {
  readonly main: string;
  readonly version: string;
  readonly config: NamesConfig;
}

const START_MS = 10_000;
const LARGEST_LOG = 1024 * 1024;
const PROGRAM = "names";
/** What a server of names needs is little, and its garbage short-lived: a small nursery keeps its memory small. */
const FLAGS = ["--max-semi-space-size=1", "--max-old-space-size=256", "--v8-pool-size=0"];

/** Made from the program's files, so that a new version of styr brings a new one. */
export function residentProgram(
  folder: string,
  config: NamesConfig,
  digest: (text: string) => string,
): ResidentProgram {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const main = new URL("./resident/main.ts", import.meta.url);
  const program = writeFreestanding(join(folder, "program"), { name: PROGRAM, main });
  const version = digest(`${program.hash} ${JSON.stringify(config)}`).slice(0, 8);
  return { main: program.main, version, config };
}

/** Undefined: nobody listens there. */
export function openResident(folder: string, version: string): Promise<Socket | undefined> {
  return connectTo(shortSocketPath(folder, socketFile(version)));
}

/** In a session of its own, so that no signal to styr's process group reaches it. Rejects with its last words. */
export async function startResident(place: ResidentPlace, program: ResidentProgram): Promise<Socket> {
  const { folder, clock, launcher = [] } = place;
  const log = openSync(join(folder, "names.log"), "a", 0o600);
  if (fstatSync(log).size > LARGEST_LOG) ftruncateSync(log);
  const { main, version, config } = program;
  const [file = "", ...args] = [...launcher, process.execPath, ...FLAGS, main, folder, version, JSON.stringify(config)];
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", UV_THREADPOOL_SIZE: "1" };
  const child = spawn(file, args, { detached: true, cwd: "/", env, stdio: ["ignore", log, log] });
  closeSync(log);
  let ended: string | undefined;
  child.once("exit", (code, signal) => {
    ended = `it ended with ${signal ?? code}`;
  });
  child.once("error", (error) => {
    ended = error.message;
  });
  child.unref();
  for (const untilMs = clock.monotonic() + START_MS; clock.monotonic() < untilMs; await clock.sleep(20)) {
    const socket = await openResident(folder, version);
    if (socket) return socket;
    if (ended !== undefined) throw new Error(`the server of names did not start: ${ended}: ${lastWords(folder)}`);
  }
  throw new Error(`the server of names did not answer within ${START_MS / 1000} s: ${lastWords(folder)}`);
}

/** Sockets without anybody behind them, and programs that no server runs. */
export function sweepResidents(folder: string, kept: ResidentProgram): void {
  const own = basename(dirname(dirname(dirname(dirname(dirname(kept.main))))));
  for (const name of readdirSync(join(folder, "program")))
    if (name !== own) rmSync(join(folder, "program", name), { recursive: true, force: true });
}

/** Ends one by its pid, when it does not do what it is told; a pid that has become another's is left alone. */
export function killResident(folder: string, version: string): void {
  const path = join(folder, pidFile(version));
  const pid = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  const command = pid > 0 && existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
  if (command.split("\0").includes(folder) && command.includes(version)) process.kill(pid, "SIGKILL");
  for (const file of [path, join(folder, socketFile(version))]) rmSync(file, { force: true });
}

export function otherVersions(folder: string, version: string): readonly string[] {
  return existsSync(folder) ? versionsIn(folder).filter((each) => each !== version) : [];
}

function lastWords(folder: string): string {
  const lines = readFileSync(join(folder, "names.log"), "utf8").trim().split("\n");
  return lines.findLast((line) => /Error|cannot/.test(line)) ?? lines.at(-1) ?? "no words";
}
