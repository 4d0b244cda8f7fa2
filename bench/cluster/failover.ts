/** From kill -9 of the leader to the first write that another server takes: three servers, three etcd members, all on this machine. */
import { setTimeout as delay } from "node:timers/promises";
import { type ServerProcess, startServers } from "../../test/ha/server-processes.ts";
import { canRunEtcd } from "../../test/harness/etcd.ts";
import { printTable } from "../lib/table.ts";

const RUNS = 5;
const PATH = "/api/v1/namespaces/default/configmaps";
/** A server that came back needs a moment to follow again. */
const BETWEEN_MS = 5_000;
const PATIENCE_MS = 60_000;

async function main(): Promise<void> {
  const reason = canRunEtcd();
  if (reason !== undefined) return console.log(`not run: ${reason}`);
  const cluster = await startServers(3);
  const times: number[] = [];
  try {
    for (let n = 0; n < RUNS; n++) {
      const leader = await cluster.leader();
      const other = cluster.servers.find((server) => server !== leader) as ServerProcess;
      await written(other, `before-${n}`);
      const began = performance.now();
      await leader.kill9();
      await written(other, `after-${n}`);
      times.push(performance.now() - began);
      await leader.start();
      await delay(BETWEEN_MS);
    }
  } finally {
    cluster.stop();
  }
  const sorted = times.toSorted((a, b) => a - b).map((ms) => `${(ms / 1000).toFixed(2)} s`);
  const row = ["kill -9 of the leader", RUNS, sorted[0] ?? "", sorted[Math.floor(RUNS / 2)] ?? "", sorted.at(-1) ?? ""];
  printTable(
    "Leader gone to the first write taken by another server (aim: 5 s)",
    ["", "runs", "least", "median", "most"],
    [row],
  );
}

/** Tries as a client would: a refusal is tried again. */
async function written(server: ServerProcess, name: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } };
  for (;;) {
    const answer = await server.call({ method: "POST", path: PATH, body }).catch((error: Error) => error);
    if (!(answer instanceof Error) && (answer.status === 201 || answer.status === 409)) return;
    if (performance.now() > deadline)
      throw new Error(`no write within ${PATIENCE_MS / 1000} s: ${JSON.stringify(answer)}`);
    await delay(20);
  }
}

await main();
