/** Processes of this host that run with one configuration, by what /proc says of them: a pid file may be gone, or name another's. */
import { readdir, readFile, readlink } from "node:fs/promises";
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
  // First: the kernel reads the words of a command from the memory of the process, which may be a file that a container has chosen.
  if (!(await isSameFolder(pid, dirname(config)))) return undefined;
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const words = line.split("\0");
  if (!words.includes(config) || !words.includes("-W")) return undefined;
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name stands in brackets and may hold anything: "pid (name) state parent".
  const [, parent] = state.slice(state.lastIndexOf(")") + 2).split(" ");
  return { pid, parent: Number(parent) };
}

/**
 * Another host's, in a container or a lab, may have the same path: it is another folder there. Asked of the kernel's list of what is mounted:
 * in a container's file system itself, asking may never end.
 */
async function isSameFolder(pid: number, folder: string): Promise<boolean> {
  const [own, its] = await Promise.all(["self", pid].map((one) => orNone(readlink(`/proc/${one}/ns/mnt`))));
  if (own === undefined || its === undefined || own === its) return own !== undefined && own === its;
  const [here, there] = await Promise.all(
    ["self", pid].map((one) => orNone(readFile(`/proc/${one}/mountinfo`, "utf8"))),
  );
  const [wanted, found] = [mountOf(here ?? "", folder), mountOf(there ?? "", folder)];
  return wanted !== undefined && wanted === found;
}

/** Which part of which file system is at a path, by /proc/PID/mountinfo (proc(5)): id, parent, device, root, place. */
function mountOf(text: string, path: string): string | undefined {
  const mounts = text.split("\n").flatMap((line) => {
    const [, , device, root, place = ""] = line.split(" ");
    return `${path}/`.startsWith(place === "/" ? place : `${place}/`)
      ? { mount: `${device} ${root} ${place}`, place }
      : [];
  });
  // Of two at one place the later one is on top.
  return mounts.reduce<(typeof mounts)[number] | undefined>(
    (best, each) => (best === undefined || each.place.length >= best.place.length ? each : best),
    undefined,
  )?.mount;
}

/** Undefined: ended meanwhile, or one that this process may not look into. */
async function orNone(asked: Promise<string>): Promise<string | undefined> {
  return asked.catch((error: NodeJS.ErrnoException) => {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL"].includes(error.code ?? "")) return undefined;
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
