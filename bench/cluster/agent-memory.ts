/** Memory of `styr agent` with 0, 20 and 100 pods that run, on a server of its own, with a fake engine: started with the launcher's flags. */
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
import { corePercent, costOf } from "./lib/process-cost.ts";

const STEPS = [0, 20, 100];
const AIM_MIB = 60;
const QUIET_MS = 10_000;

type Row = readonly (string | number)[];

async function main(): Promise<void> {
  const server = await startServer();
  const state = mkdtempSync(join(tmpdir(), "styr-bench-agent-"));
  let agent: ChildProcess | undefined;
  try {
    // Once to fill the compile cache, as the second start of any program does.
    agent = await startAgent(server, state);
    agent.kill("SIGKILL");
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
      rows.push([pods, after.residentMiB, after.ownMiB, `${corePercent(before, after)} %`, AIM_MIB]);
    }
    printTable(
      "Memory of an agent, MiB, with a fake engine",
      ["pods running", "RSS", "of it own", "CPU idle", "aim"],
      rows,
    );
  } finally {
    agent?.kill("SIGKILL");
    await server.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

async function startAgent(server: BenchServer, state: string): Promise<ChildProcess> {
  const file = join(import.meta.dirname, "one-agent.ts");
  const order = JSON.stringify({ server: server.url, serverState: server.state, state });
  const agent = spawn(process.execPath, [...serverFlags(), file, order], {
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
