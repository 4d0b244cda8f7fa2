/** Processes of this host that run with one configuration, by what /proc says of them: a pid file may be gone, or name another's. */
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";

export interface OwnProcess {
  readonly pid: number;
  readonly parent: number;
}

export async function processesWith(config: string): Promise<readonly OwnProcess[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map((name) => processOf(Number(name), config)));
  return found.filter((each) => each !== undefined);
}

/** Undefined: it has ended, or its number is another's by now. */
export async function processOf(pid: number, config: string): Promise<OwnProcess | undefined> {
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const words = line.split("\0");
  if (!words.includes(config) || !words.includes("-W") || !(await isSameFolder(pid, dirname(config)))) return undefined;
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name stands in brackets and may hold anything: "pid (name) state parent".
  const [, parent] = state.slice(state.lastIndexOf(")") + 2).split(" ");
  return { pid, parent: Number(parent) };
}

/** Another host's, in a container or a lab, may have the same path: it is another folder there. */
async function isSameFolder(pid: number, folder: string): Promise<boolean> {
  const [own, its] = await Promise.all([
    statOf(folder, ["ENOENT"]),
    // Ended meanwhile, or one that this process may not look into: none of ours.
    statOf(`/proc/${pid}/root${folder}`, ["ENOENT", "ENOTDIR", "ESRCH", "EACCES", "EPERM"]),
  ]);
  return own !== undefined && own.dev === its?.dev && own.ino === its.ino;
}

async function statOf(path: string, nothing: readonly string[]) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (nothing.includes(error.code ?? "")) return undefined;
    throw error;
  });
}

/** Masters that no pid file names any more, and none of whose workers is left: another one took over while they stood still. */
export function finishedStrays(all: readonly OwnProcess[], master: number): readonly number[] {
  const own = new Set(all.map(({ pid }) => pid));
  const parents = new Set(all.map(({ parent }) => parent));
  return all.flatMap(({ pid, parent }) => (pid === master || own.has(parent) || parents.has(pid) ? [] : [pid]));
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
