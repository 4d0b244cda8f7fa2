/**
 * The keeper as a program: `main.mjs STATE_DIR CGROUP_ROOT`. One per state directory; a second one ends with 3. It says
 * what goes wrong on stderr, which is `keeper.log`.
 */
import { spawnSync } from "node:child_process";
import { ftruncateSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CgroupTree } from "../cgroup/cgroup-tree.ts";
import { KeeperServer } from "./keeper-server.ts";
import { Launcher } from "./launcher.ts";
import { ProcessTable } from "./process-table.ts";
import { Records } from "./records.ts";
import { ALREADY_KEPT, LOCK_NAME, openSocketPath, PROGRAM_NAME } from "./state-dir.ts";

const [stateDir = "", root = "styrmann"] = process.argv.slice(2);
process.umask(0o077);
mkdirSync(stateDir, { recursive: true, mode: 0o700 });
lock(join(stateDir, LOCK_NAME));

forgetOldPrograms();

const report = (message: string) => process.stderr.write(`${new Date().toISOString()} ${message}\n`);
const tree = new CgroupTree({ root });
protectFromOutOfMemory();

const execAs = fileURLToPath(new URL("./exec-as.mjs", import.meta.url));
const launcher = new Launcher({ tree, stateDir, execAs });
const table = new ProcessTable({
  tree,
  launcher,
  records: new Records(stateDir),
  report,
});
const socket = openSocketPath(stateDir);
rmSync(socket.path, { force: true });
const server = new KeeperServer({ tree, launcher, table, report, stop });
const door = createServer((connection) => server.accept(connection));
door
  .on("error", (error) => {
    // Of one connection, when there are no descriptors for it.
    if (door.listening) return report(`Error: cannot accept: ${error.message}`);
    report(`Error: cannot listen: ${error.message}`);
    process.exit(1);
  })
  .listen(socket.path, () => report(`keeper ${process.pid} is ready`));
// A bug elsewhere is a crash; here it would lose how every process ends.
process.on("uncaughtException", (error) => report(String(error.stack)));
// It is ended by a call, not by a signal that was meant for styr's process group.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => report(`${signal} is ignored`));

/** The kernel must never choose the parent of everything when memory runs out. Needs CAP_SYS_RESOURCE, which containers often lack. */
function protectFromOutOfMemory(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "-1000");
  } catch (error) {
    report(`not protected from the out-of-memory killer: ${(error as Error).message}`);
  }
}

/** Other versions' files, now that no other keeper can run them. */
function forgetOldPrograms(): void {
  const own = basename(fileURLToPath(new URL("../../..", import.meta.url)));
  const programs = join(stateDir, "program");
  mkdirSync(programs, { recursive: true });
  for (const name of readdirSync(programs)) {
    if (PROGRAM_NAME.test(name) && name !== own) rmSync(join(programs, name), { recursive: true, force: true });
  }
}

function stop(): never {
  rmSync(socket.path, { force: true });
  process.exit(0);
}

/** The lock belongs to the open file, which flock(1) shares with this process, and goes with it. */
function lock(path: string): void {
  const descriptor = openSync(path, "a", 0o600);
  const { status, error } = spawnSync("flock", ["--nonblock", "3"], {
    stdio: ["ignore", "ignore", "ignore", descriptor],
  });
  if (error) throw new Error(`flock (util-linux): ${error.message}`);
  if (status !== 0) process.exit(ALREADY_KEPT);
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`);
  } catch (error) {
    // It is only told to people; a keeper that starts on a full disk has better things to do than end.
    if (!["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
