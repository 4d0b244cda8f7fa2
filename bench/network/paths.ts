/**
 * Throughput, requests and latency of every way that packets take between two containers: plain Docker, Styrmann and Docker Swarm on the
 * same engines of the same hosts, in turns, so that what else the machine does falls on all of them. `paths.ts ROUNDS`.
 */
import { loadavg } from "node:os";
import { canRunLab } from "../../test/lab/harness/can-run-lab.ts";
import { startEngine } from "../../test/lab/harness/engines.ts";
import type { Host } from "../../test/lab/harness/host.ts";
import { LabCluster } from "../../test/lab/harness/lab-cluster.ts";
import { toolsImage } from "../../test/lab/harness/lab-images.ts";
import { printTable } from "../lib/table.ts";
import { barePath, bareSameHost, layBare } from "./bare.ts";
import { type Figures, measure, median, type Path, type Requests } from "./measure.ts";
import { compareNeighbours } from "./neighbours.ts";
import { layStyr } from "./styr.ts";
import { laySwarm } from "./swarm.ts";

const ROUNDS = Number(process.argv[2] ?? 8);

async function main(): Promise<void> {
  const reason = canRunLab();
  if (reason) return console.log(`not run: ${reason}`);
  const cluster = await LabCluster.open({ servers: 1, agents: 3, links: [0, 0, 1], images: [toolsImage()] });
  try {
    const paths = await lay(cluster);
    const rounds: Figures[][] = paths.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      console.log(`round ${round + 1} of ${ROUNDS}, load average ${loadavg()[0]?.toFixed(1)}`);
      const order = paths.map((_, at) => at);
      for (const at of round % 2 === 0 ? order : order.toReversed()) {
        rounds[at]?.push(await measure(paths[at] as Path, cluster.agents));
      }
    }
    print(paths, rounds);
    if (!(await compareNeighbours(paths))) process.exitCode = 1;
  } finally {
    cluster.close();
  }
}

async function lay(cluster: LabCluster): Promise<readonly Path[]> {
  const [client, near, far] = cluster.agents as [Host, Host, Host];
  // A swarm refuses live-restore, and all shall have the same engines.
  await Promise.all(
    cluster.agents.map((host) => startEngine(host, { mirror: cluster.registry.url, liveRestore: false })),
  );
  const styr = await layStyr(cluster, { client, near, far });
  await layBare([client, near]);
  const [swarmNear, swarmFar] = await laySwarm([client, near, far]);
  if (!swarmNear || !swarmFar) throw new Error("the swarm is not whole");
  return [
    bareSameHost(client),
    ...styr.slice(0, 1),
    barePath(client, near),
    ...styr.slice(1),
    { ...swarmNear, name: "Docker Swarm, overlay, same link" },
    { ...swarmFar, name: "Docker Swarm, overlay, through a router" },
  ];
}

function print(paths: readonly Path[], rounds: readonly (readonly Figures[])[]): void {
  const columns = ["", "Gbit/s", "kept: requests/s", "median", "new: requests/s", "median", "medians of rounds"];
  const rows = paths.map(({ name }, at) => {
    const all = rounds[at] ?? [];
    const [kept, fresh] = [best(all.map((one) => one.kept)), best(all.map((one) => one.fresh))];
    const gigabits = all.flatMap((one) => one.gigabits ?? []);
    const usual = [
      median(gigabits).toFixed(1),
      ...[all.map((one) => one.kept), all.map((one) => one.fresh)].map(usually),
    ];
    return [
      name,
      gigabits.length > 0 ? Math.max(...gigabits).toFixed(1) : "–",
      ...[Math.round(kept.perSecond), `${Math.round(kept.medianUs)} µs`],
      ...[Math.round(fresh.perSecond), `${Math.round(fresh.medianUs)} µs`],
      usual.join(" / ").replace("NaN", "–"),
    ];
  });
  printTable(`Ways between two containers, best of ${ROUNDS} rounds of 1 s each, 16 connections`, columns, rows);
}

function best(all: readonly Requests[]): Requests {
  return all.reduce((one, other) => (other.perSecond > one.perSecond ? other : one));
}

function usually(all: readonly Requests[]): string {
  return Math.round(median(all.map(({ perSecond }) => perSecond))).toLocaleString("en");
}

await main();
