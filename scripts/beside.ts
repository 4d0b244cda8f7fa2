/** Stages in a process of their own that only take the processor time that nobody else wants; their words are kept together until they have ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { count, emptyTally, type Tally } from "./suite.ts";

const AUTOGROUP = "/proc/self/autogroup";

export interface Ended {
  readonly name: string;
  readonly output: string;
  readonly tally: Tally;
}

export interface Beside {
  /** What `ended` gives, once it has. */
  readonly now: () => Ended | undefined;
  readonly ended: Promise<Ended>;
}

/** `command` ends with `reportBack`. */
export function startBeside(name: string, command: readonly [string, ...string[]]): Beside {
  const [file, ...args] = command;
  // A session of its own: Linux shares a machine's time between sessions before it looks at the priorities within one (sched(7), autogroup).
  const child = spawn(file, args, { detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let ended: Ended | undefined;
  const all = resultOf(name, child).then((result) => {
    ended = result;
    return result;
  });
  return { now: () => ended, ended: all };
}

function resultOf(name: string, child: ChildProcess): Promise<Ended> {
  let [output, tally]: [string, Tally | undefined] = ["", undefined];
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => (output += text));
  child.on("message", (said) => {
    tally = said as Tally;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ name, output, tally: tally ?? without(`${name} ended with ${signal ?? code} and no result`) });
    });
  });
}

function without(failure: string): Tally {
  const tally = emptyTally();
  count(tally, failure);
  return tally;
}

/** Called first in that process: everything it starts has the lowest priority too, and ends with whoever wants its result. */
export function stepBack(): void {
  setPriority(constants.priority.PRIORITY_LOW);
  try {
    writeFileSync(AUTOGROUP, String(constants.priority.PRIORITY_LOW));
  } catch (error) {
    // Not every kernel has it, and in a container it may be read only: then the priority within the session is all there is.
    console.log(`${AUTOGROUP}: ${(error as Error).message}`);
  }
  process.once("disconnect", () => process.kill(-process.pid, "SIGKILL"));
}

/** Called last in it. */
export function reportBack(tally: Tally): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.send) return resolve();
    process.removeAllListeners("disconnect");
    process.send(tally, (error: Error | null) => {
      if (error) return reject(error);
      process.disconnect();
      resolve();
    });
  });
}
