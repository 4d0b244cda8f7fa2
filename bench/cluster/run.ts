/** `npm run bench:cluster`: what several machines cost and how fast they are, one part after the other. `npm run bench:cluster -- NAME…` runs those named. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { serverEnvironment, serverFlags } from "../lib/launcher.ts";

const PARTS: Readonly<Record<string, string>> = {
  agents: "agents.ts",
  writes: "writes.ts",
  failover: "failover.ts",
  "agent-memory": "agent-memory.ts",
  lab: "../lab/main.ts",
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
  if (!existsSync(file)) throw new Error(`${file} is not there`);
  const env = { ...process.env, ...serverEnvironment() };
  const { status } = spawnSync(process.execPath, [...serverFlags(), file], { stdio: "inherit", env });
  if (status === 0) return;
  console.log(`=== ${name} failed`);
  process.exitCode = 1;
}

main(process.argv.slice(2));
