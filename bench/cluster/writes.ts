/**
 * Pods per second from POST to bound and durable, with the journal on three etcd members and on SQLite, one after the other
 * in the same run: the whole server as a user starts it, kept-alive clients in another process, nodes that only live.
 * `node bench/cluster/writes.ts [sqlite] [etcd]`
 */
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { canRunEtcd, startEtcd } from "../../test/harness/etcd.ts";
import type { LoadOrder, LoadResult } from "../lib/load.ts";
import { printTable } from "../lib/table.ts";
import { type BenchServer, startServer } from "./lib/bench-server.ts";
import { gatherCrowd } from "./lib/gather-crowd.ts";
import { type Cost, costOf } from "./lib/process-cost.ts";

const NODES = 200;
const PODS = 5_000;
const WARM_PODS = 1_000;
const CLIENTS = [16, 64, 256];
const PATIENCE_MS = 120_000;
/** Reading all metrics takes the server some milliseconds, too. */
const READ_EVERY_MS = 50;
const BOUND = 'styr_scheduler_attempts_total{result="bound"}';

type Row = readonly (string | number)[];

const pod = (prefix: string) =>
  JSON.stringify({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: `${prefix}-@`, labels: { app: "web" } } },
    spec: {
      containers: [{ name: "web", image: "nginx:1.27", resources: { requests: { cpu: "10m", memory: "16Mi" } } }],
    },
  });

async function measure(journal: string, flags: readonly string[]): Promise<readonly Row[]> {
  const server = await startServer(flags);
  const crowd = await gatherCrowd(server, NODES, { reports: false });
  try {
    await run(server, "warm", CLIENTS[0] ?? 1, WARM_PODS);
    const rows: Row[] = [];
    for (const clients of CLIENTS) rows.push([journal, clients, ...(await run(server, `c${clients}`, clients, PODS))]);
    return rows;
  } finally {
    crowd.stop();
    await server.stop();
  }
}

async function run(server: BenchServer, prefix: string, connections: number, requests: number): Promise<Row> {
  const path = "/api/v1/namespaces/default/pods";
  // Through the socket of this machine: over the network one client may send 200 requests a second (styr settings).
  const socketPath = join(server.state, "styr.sock");
  const order: LoadOrder = { origin: "http://localhost", socketPath, connections, requests, path, body: pod(prefix) };
  const boundBefore = await server.metric(BOUND);
  const worker = new Worker(new URL("../lib/load.ts", import.meta.url), { workerData: order });
  await once(worker, "online");
  const [before, began] = [costOf(server.pid), performance.now()];
  const [{ accepted, firstRefusal, latencies }] = (await once(worker, "message")) as [LoadResult];
  if (accepted !== requests)
    throw new Error(`${requests - accepted} pods were refused, the first with: ${firstRefusal}`);
  const acceptedMs = performance.now() - began;
  const boundMs = (await allBound(server, boundBefore + requests)) - began;
  const after: Cost = costOf(server.pid);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1);
  const perSecond = (ms: number) => Math.round(requests / (ms / 1000));
  const micros = Math.round(((after.cpuMs - before.cpuMs) * 1000) / requests);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return [requests, perSecond(boundMs), perSecond(acceptedMs), micros, at(0.5), at(0.99), load];
}

async function allBound(server: BenchServer, count: number): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  while ((await server.metric(BOUND)) < count) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${count} pods bound`);
    await delay(READ_EVERY_MS);
  }
  return performance.now();
}

async function main(asked: readonly string[]): Promise<void> {
  const isAsked = (journal: string) => asked.length === 0 || asked.includes(journal);
  if (isAsked("sqlite")) print(await measure("sqlite", []));
  if (!isAsked("etcd")) return;
  const reason = canRunEtcd();
  if (reason === undefined) {
    const etcd = await startEtcd({ members: 3 });
    try {
      const members = etcd.endpoints.map((endpoint) => endpoint.replace(/^https?:\/\//, "")).join(",");
      print(await measure("etcd, 3 members", ["--store", `etcd://${members}`]));
    } finally {
      etcd.stop();
    }
  } else console.log(`without etcd: ${reason}`);
}

function print(rows: readonly Row[]): void {
  const columns = [
    "journal",
    "clients",
    "pods",
    "bound/s",
    "accepted/s",
    "CPU µs/pod",
    "median ms",
    "p99 ms",
    "load average",
  ];
  const title = `POST to bound and durable, ${NODES} nodes; server, clients and etcd on this machine (aim: 2,000/s)`;
  printTable(title, columns, rows);
}

await main(process.argv.slice(2));
