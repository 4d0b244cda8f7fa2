/**
 * Pods per second from POST to bound: kept-alive clients in another thread, plain HTTP on loopback, the whole control
 * plane with the default journal, and a scheduler that has 1,000 nodes to choose from.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { listenPlain } from "../src/app/listen.ts";
import { pods } from "../src/model/pod.ts";
import type { LoadOrder, LoadResult } from "./lib/load.ts";
import { openPlane } from "./lib/plane.ts";
import { printTable } from "./lib/table.ts";

const NODES = 1000;
const PODS = 5000;
const FLOOR = 2000;
const CONNECTIONS = [16, 64, 256];

const POD = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-@", labels: { app: "web", tier: "front" } },
  spec: {
    containers: [
      {
        name: "web",
        image: "nginx:1.27",
        ports: [{ containerPort: 80, name: "http" }],
        env: [{ name: "MODE", value: "production" }],
        resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } },
        readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 5 },
      },
    ],
  },
});

interface Measured {
  readonly connections: number;
  readonly perSecond: number;
  readonly acceptedPerSecond: number;
  readonly cpuMicros: number;
  readonly latencies: readonly number[];
}

async function measure(connections: number): Promise<Measured> {
  const { plane, close } = await openPlane(NODES);
  const server = await listenPlain(plane.mounted, { host: "127.0.0.1", port: 0 });
  const order: LoadOrder = {
    ...{ origin: server.url, connections, requests: PODS, body: POD },
    path: "/api/v1/namespaces/default/pods",
  };
  const bound = allBound(plane.store);
  const worker = new Worker(new URL("./lib/load.ts", import.meta.url), { workerData: order });
  await once(worker, "online");
  const cpu = process.threadCpuUsage();
  const begun = performance.now();
  const [{ accepted, firstRefusal, latencies }] = (await once(worker, "message")) as [LoadResult];
  const acceptedAt = performance.now();
  if (accepted !== PODS) throw new Error(`${PODS - accepted} pods were refused, the first with: ${firstRefusal}`);
  const boundAt = await bound;
  const { user, system } = process.threadCpuUsage(cpu);
  await server.close();
  await close();
  return {
    connections,
    latencies,
    perSecond: PODS / ((boundAt - begun) / 1000),
    acceptedPerSecond: PODS / ((acceptedAt - begun) / 1000),
    cpuMicros: (user + system) / PODS,
  };
}

/** The time at which the last of the pods was durably bound. */
async function allBound(store: Awaited<ReturnType<typeof openPlane>>["plane"]["store"]): Promise<number> {
  let left = PODS;
  for await (const changes of store.watch({ kinds: [pods] })) {
    for (const { type, object, before } of changes) {
      if (type !== "modified" || !before) continue;
      const was = (before as unknown as { spec: { nodeName?: string } }).spec.nodeName;
      if (was === undefined && (object as unknown as { spec: { nodeName?: string } }).spec.nodeName) left--;
    }
    if (left === 0) break;
  }
  return performance.now();
}

function row({
  connections,
  perSecond,
  acceptedPerSecond,
  cpuMicros,
  latencies,
}: Measured): readonly (string | number)[] {
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1);
  const rates = [Math.round(perSecond), Math.round(acceptedPerSecond), Math.round(cpuMicros)];
  return [`${connections} clients`, NODES, PODS, ...rates, at(0.5), at(0.99), FLOOR];
}

export async function benchHttp(): Promise<void> {
  await measure(64);
  const rows = [];
  for (const connections of CONNECTIONS) rows.push(row(await measure(connections)));
  const columns = [
    "POST to bound",
    "nodes",
    "pods",
    "bound/s",
    "accepted/s",
    "CPU µs/pod",
    "median ms",
    "p99 ms",
    "floor",
  ];
  printTable("Pods through HTTP, bound and durable; one event loop serves, schedules and watches", columns, rows);
}

if (import.meta.main) await benchHttp();
