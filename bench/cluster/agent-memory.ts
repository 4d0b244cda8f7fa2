/**
 * Memory of `styr agent` with 0, 20 and 100 pods that run, on a server of its own, with a fake engine: started with the launcher's flags.
 * Beside it a Node that does nothing, alone and with one thread: nothing in Node takes less.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { serverEnvironment, serverFlags } from "../lib/launcher.ts";
import { printTable } from "../lib/table.ts";
import { type BenchServer, startServer } from "./lib/bench-server.ts";
import { until } from "./lib/gather-crowd.ts";
import { corePercent, costOf, memoryOf } from "./lib/process-cost.ts";

const STEPS = [0, 20, 100];
const AIM_MIB = 60;
const QUIET_MS = 10_000;
const NOTHING = "setInterval(() => {}, 1000)";
const ONE_THREAD = `new (require("worker_threads").Worker)(${JSON.stringify(NOTHING)}, { eval: true })`;

type Row = readonly (string | number)[];

async function main(): Promise<void> {
  const server = await startServer();
  const state = mkdtempSync(join(tmpdir(), "styr-bench-agent-"));
  let agent: ChildProcess | undefined;
  try {
    // Once to fill the compile cache, which is written at an orderly end: as with the second start of any program.
    agent = await startAgent(server, state);
    agent.stdin?.end();
    await once(agent, "exit");
    agent = await startAgent(server, state);
    const rows: Row[] = [];
    for (const [at, pods] of STEPS.entries()) {
      if (pods > 0) await scale(server, pods, at === 1);
      await until(`${pods} pods run`, async () => (await server.metric('styr_pods{phase="Running"}')) >= pods);
      await delay(QUIET_MS);
      const before = costOf(agent.pid ?? 0);
      await delay(QUIET_MS);
      const after = costOf(agent.pid ?? 0);
      const share = `${corePercent(before, after)} %`;
      rows.push([`${pods} pods`, ...memoryRow(agent.pid ?? 0), share, AIM_MIB]);
    }
    rows.push(await idleNode("Node alone", NOTHING), await idleNode("Node with a thread", ONE_THREAD));
    printTable("Memory of an agent, MiB, with a fake engine", ["", "RSS", "PSS", "private", "CPU idle", "aim"], rows);
  } finally {
    agent?.kill("SIGKILL");
    await server.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

function memoryRow(pid: number): Row {
  const { residentMiB, proportionalMiB, privateMiB } = memoryOf(pid);
  return [residentMiB, proportionalMiB, privateMiB];
}

async function idleNode(name: string, program: string): Promise<Row> {
  const node = spawn(process.execPath, ["-e", program], { stdio: "ignore" });
  try {
    await delay(QUIET_MS / 5);
    return [name, ...memoryRow(node.pid ?? 0), "", ""];
  } finally {
    node.kill("SIGKILL");
  }
}

async function startAgent(server: BenchServer, state: string): Promise<ChildProcess> {
  const file = join(import.meta.dirname, "one-agent.ts");
  const order = JSON.stringify({ server: server.url, serverState: server.state, state });
  const agent = spawn(process.execPath, [...serverFlags("agent"), file, order], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...serverEnvironment() },
  });
  await once(createInterface(agent.stdout), "line");
  await until("the agent is ready", async () => (await server.metric('styr_nodes{state="ready"}')) >= 1);
  return agent;
}

async function scale(server: BenchServer, replicas: number, isNew: boolean): Promise<void> {
  const id = "/load";
  const app = {
    id,
    instances: replicas,
    cpus: 0.01,
    mem: 16,
    container: { type: "DOCKER", docker: { image: "fake/run" } },
  };
  const answer = await fetch(`${server.http}/v2/apps${isNew ? "" : id}`, {
    method: isNew ? "POST" : "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(isNew ? app : { instances: replicas }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

await main();
