import { readFile } from "node:fs/promises";
import { readStart, UnsoundFileError } from "./bounded-file.ts";

/** More than any number, and the white space before it. */
const PID_BYTES = 4096;

/** Type=forking: which process the service is, by its PID file or, without one, by a guess. Undefined when it cannot be told (yet). */
export async function findMainPid(
  { pidFile, guesses }: { readonly pidFile?: string; readonly guesses: boolean },
  pids: readonly number[],
): Promise<number | undefined> {
  if (pidFile !== undefined) return fromFile(pidFile, pids);
  if (!guesses) return undefined;
  if (pids.length === 1) return pids[0];
  // What was left behind by those that forked: its parent is not of the service. Two of them leave it open (systemd unit_search_main_pid).
  const orphans: number[] = [];
  for (const pid of pids) {
    const parent = await parentOf(pid);
    if (parent !== undefined && !pids.includes(parent)) orphans.push(pid);
  }
  return orphans.length === 1 ? orphans[0] : undefined;
}

/** Only a process of the unit counts: a stale file may name anybody. */
async function fromFile(path: string, pids: readonly number[]): Promise<number | undefined> {
  const text = await ifThere(async () => (await readStart(path, PID_BYTES)).toString("utf8"));
  const pid = Number(/^\s*(\d+)/.exec(text ?? "")?.[1]);
  return pids.includes(pid) ? pid : undefined;
}

async function parentOf(pid: number): Promise<number | undefined> {
  const text = await ifThere(() => readFile(`/proc/${pid}/stat`, "utf8"));
  // The name in parentheses may hold anything (proc(5)); the parent is the second field after it.
  const parent = Number(text?.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  return Number.isInteger(parent) ? parent : undefined;
}

async function ifThere(read: () => Promise<string>): Promise<string | undefined> {
  try {
    return await read();
  } catch (error) {
    // A PIDFile= that is not a file says as little as one that is not there.
    if (error instanceof UnsoundFileError) return undefined;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}
