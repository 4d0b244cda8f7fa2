/** The part of `npm run bench:cluster` that needs several hosts: Styrmann and Docker Swarm, one after the other, in the same lab. */
import { canRunLab } from "../../test/lab/harness/can-run-lab.ts";
import { printTable } from "../lib/table.ts";
import { SIZES, type Times } from "./side.ts";
import { measureStyr } from "./styr-side.ts";
import { measureSwarm } from "./swarm-side.ts";

/** `node bench/lab/main.ts RUNS`. */
const RUNS = Number(process.argv[2] ?? 3);

const ROWS: readonly (readonly [string, keyof Times])[] = [
  ["join to Ready", "joinToReadyMs"],
  ["join to the first answer of a container there", "joinToServingMs"],
  ["power off a host to the first answer of the successor", "hostDeathMs"],
  ["power off the leader to the first write accepted", "failoverMs"],
];

async function main(): Promise<void> {
  const reason = canRunLab();
  if (reason) return console.log(`not run: ${reason}`);
  const [ours, theirs]: [Times[], Times[]] = [[], []];
  for (let n = 0; n < RUNS; n++) {
    ours.push(await measureStyr());
    theirs.push(await measureSwarm());
  }
  const title = `Several hosts, median of ${RUNS}: ${SIZES.servers} servers or managers, ${SIZES.agents} hosts or workers`;
  const rows = ROWS.map(([what, field]) => [what, median(ours, field), median(theirs, field)]);
  printTable(title, ["", "Styrmann", "Docker Swarm"], rows);
}

function median(times: readonly Times[], field: keyof Times): string {
  const sorted = times.map((one) => one[field]).sort((a, b) => a - b);
  return `${((sorted[Math.floor(sorted.length / 2)] ?? 0) / 1000).toFixed(1)} s`;
}

await main();
