/** A benchmark of several parts, each a program of its own, one after the other: all, or those that are named. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { serverEnvironment, serverFlags } from "./launcher.ts";

export interface Parts {
  /** What the files are named from. */
  readonly folder: string;
  /** Name → file. */
  readonly files: Readonly<Record<string, string>>;
  /** For the Node that runs them. */
  readonly flags?: readonly string[];
}

/** Sets the exit code when there is no such part, or when one fails. */
export function runParts({ folder, files, flags = [] }: Parts, asked: readonly string[]): void {
  const unknown = asked.filter((name) => !Object.hasOwn(files, name));
  if (unknown.length > 0) {
    console.error(`there is no part ${unknown.join(", ")}; there are ${Object.keys(files).join(", ")}`);
    process.exitCode = 1;
    return;
  }
  for (const [name, file] of Object.entries(files))
    if (asked.length === 0 || asked.includes(name)) run(name, join(folder, file), flags);
}

function run(name: string, file: string, flags: readonly string[]): void {
  console.log(`\n=== ${name}   (load average ${loadavg()[0]?.toFixed(1)} before)`);
  if (!existsSync(file)) throw new Error(`${file} is not there`);
  const env = { ...process.env, ...serverEnvironment() };
  const { status } = spawnSync(process.execPath, [...serverFlags(), ...flags, file], { stdio: "inherit", env });
  console.log(`=== ${name} ${status === 0 ? "done" : "failed"}   (load average ${loadavg()[0]?.toFixed(1)} after)`);
  if (status !== 0) process.exitCode = 1;
}
