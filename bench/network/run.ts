/** `npm run bench:network`: how fast the network of a cluster is, one part after the other. `npm run bench:network -- NAME…` runs those named. */
import { spawnSync } from "node:child_process";
import { loadavg } from "node:os";
import { join } from "node:path";
import { serverEnvironment, serverFlags } from "../lib/launcher.ts";

const PARTS: Readonly<Record<string, string>> = {
  paths: "paths.ts",
  programming: "programming.ts",
  names: "names.ts",
  directory: "directory.ts",
};

function main(asked: readonly string[]): void {
  const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) {
    console.error(`there is no part ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`);
    process.exitCode = 1;
    return;
  }
  for (const [name, file] of Object.entries(PARTS)) {
    if (asked.length === 0 || asked.includes(name)) run(name, join(import.meta.dirname, file));
  }
}

function run(name: string, file: string): void {
  console.log(`\n=== ${name}   (load average ${loadavg()[0]?.toFixed(1)} before)`);
  const env = { ...process.env, ...serverEnvironment() };
  const flags = ["--expose-gc", "--disable-warning=ExperimentalWarning"];
  const { status } = spawnSync(process.execPath, [...serverFlags(), ...flags, file], { stdio: "inherit", env });
  console.log(`=== ${name} ${status === 0 ? "done" : "failed"}   (load average ${loadavg()[0]?.toFixed(1)} after)`);
  if (status !== 0) process.exitCode = 1;
}

main(process.argv.slice(2));
