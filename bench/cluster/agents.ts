/**
 * One server with 100, 1,000 and 5,000 agents on real TLS WebSockets (two each: session and heartbeats), with pods that run: what it
 * takes while nothing happens. The agents are in other processes (crowd.ts). `node bench/cluster/agents.ts [AGENTS[xPODS]…]`
 */
import { setTimeout as delay } from "node:timers/promises";
import { printTable } from "../lib/table.ts";
import { type BenchServer, startServer } from "./lib/bench-server.ts";
import { type Crowd, gatherCrowd, until } from "./lib/gather-crowd.ts";
import { corePercent, costOf } from "./lib/process-cost.ts";

const COUNTS = [100, 1_000, 5_000];
const PODS_PER_AGENT = 20;
/** More are not bound to 5,000 agents: the aim is about 20,000 pods. */
const MOST_PODS = 20_000;
const PER_CONTROLLER = 1_000;
const SETTLE_MS = 15_000;
const MEASURE_MS = 20_000;

type Row = readonly (string | number)[];

async function measure(agents: number, pods = Math.min(MOST_PODS, agents * PODS_PER_AGENT)): Promise<Row> {
  const server = await startServer();
  let crowd: Crowd | undefined;
  try {
    const began = performance.now();
    crowd = await gatherCrowd(server, agents, { reports: true });
    const joinedSeconds = (performance.now() - began) / 1000;
    const ranSeconds = await runPods(server, pods);
    await delay(SETTLE_MS);
    return [agents, pods, joinedSeconds.toFixed(1), ranSeconds.toFixed(1), ...(await idle(server))];
  } finally {
    crowd?.stop();
    await server.stop();
  }
}

/** Seconds until all run. */
async function runPods(server: BenchServer, pods: number): Promise<number> {
  const began = performance.now();
  for (let at = 0; at * PER_CONTROLLER < pods; at++) {
    await create(server, `load-${at}`, Math.min(PER_CONTROLLER, pods - at * PER_CONTROLLER));
  }
  await until(`${pods} pods run`, async () => (await server.metric('styr_pods{phase="Running"}')) >= pods);
  return (performance.now() - began) / 1000;
}

async function create(server: BenchServer, name: string, replicas: number): Promise<void> {
  const labels = { app: name };
  const resources = { requests: { cpu: "100m", memory: "64Mi" } };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "nginx:1", resources }] } };
  const body = {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name },
    spec: { replicas, selector: labels, template },
  };
  const answer = await fetch(`${server.http}/api/v1/namespaces/default/replicationcontrollers`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
}

async function idle(server: BenchServer): Promise<Row> {
  const frames = () => server.metric('styr_link_frames_total{direction="in"}');
  const [before, framesBefore] = [costOf(server.pid), await frames()];
  await delay(MEASURE_MS);
  const [after, framesAfter] = [costOf(server.pid), await frames()];
  const seconds = (after.atMs - before.atMs) / 1000;
  const lagMs = (await server.metric("styr_event_loop_lag_seconds")) * 1000;
  const ready = await server.metric('styr_nodes{state="ready"}');
  return [
    `${corePercent(before, after)} %`,
    after.residentMiB,
    after.ownMiB,
    Math.round((framesAfter - framesBefore) / seconds),
    `${lagMs.toFixed(0)} ms`,
    ready,
  ];
}

const COLUMNS = [
  "agents",
  "pods",
  "joined s",
  "pods run s",
  "CPU idle",
  "RSS MiB",
  "of it own",
  "frames in/s",
  "loop lag p99",
  "ready",
];
const TITLE = "One server, agents on TLS WebSockets, nothing to do (aim: 1,000 agents, 20,000 pods: 20 %, 400 MiB)";
const given = process.argv.slice(2).map((words) => words.split("x").map(Number));
// Each as soon as it is known: thousands of agents take minutes to join on two cores.
for (const [agents = 0, pods] of given.length > 0 ? given : COUNTS.map((count) => [count])) {
  printTable(TITLE, COLUMNS, [await measure(agents, pods)]);
}
