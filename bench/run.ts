/**
 * `npm run bench`: every benchmark, one after the other, each in a process of its own that is started as the server is. `npm run bench -- NAME…` runs those named.
 */
import { spawnSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { humanBytes } from "../src/lib/quantity.ts";
import { serverEnvironment, serverFlags } from "./lib/launcher.ts";

const BENCHES = ["placements", "scheduler", "store", "http", "watch", "memory", "cli", "containers"] as const;

function main(asked: readonly string[]): void {
  const unknown = asked.filter((name) => !BENCHES.some((bench) => bench === name));
  if (unknown.length > 0) {
    console.error(`there is no benchmark ${unknown.join(", ")}; there are ${BENCHES.join(", ")}`);
    process.exitCode = 1;
    return;
  }
  const [first] = cpus();
  console.log(
    `${new Date().toISOString()}, Node ${process.version}, ${cpus().length} × ${first?.model.trim()}, ${humanBytes(totalmem())}`,
  );
  for (const name of asked.length > 0 ? asked : BENCHES) {
    console.log(`\n=== ${name}   (load average ${loadAverage()} before)`);
    const file = join(import.meta.dirname, `${name}.ts`);
    const env = { ...process.env, ...serverEnvironment() };
    const { status } = spawnSync(process.execPath, [...serverFlags(), file], { stdio: "inherit", env });
    if (status === 0) continue;
    console.log(`=== ${name} failed`);
    process.exitCode = 1;
  }
  console.log(`\nload average ${loadAverage()} at the end. What else the machine did is in every figure`);
}

function loadAverage(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(" ");
}

main(process.argv.slice(2));
