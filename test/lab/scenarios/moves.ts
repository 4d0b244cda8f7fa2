/** Drain and upgrade, while clients ask the pods and write to the servers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Balancer } from "../harness/balancer.ts";
import { runningContainers } from "../harness/engines.ts";
import type { Host } from "../harness/host.ts";
import type { LabCluster } from "../harness/lab-cluster.ts";
import { Load, type LoadReport } from "../harness/load.ts";
import { disturbed, serving } from "../harness/pods.ts";
import { copyProgram, type Program } from "../harness/program.ts";
import { until } from "../harness/wait.ts";
import { replicas } from "../harness/workloads.ts";
import { missingAt, Writes } from "../harness/writes.ts";
import type { Scene } from "./scenario.ts";

const WEB = "web";
const COPIES = 3;
const PORT = 8080;
/** What a change of leader may cost; the same as when one dies. */
const LEADER_CHANGE_MS = 5_000;

/** The workload that the load is on, ready on as many hosts as it has copies. */
export async function startWeb({ cluster }: Scene): Promise<void> {
  await cluster.create(replicas(WEB, { replicas: COPIES, hostPort: PORT }));
  const isThere = async () => serving(await cluster.pods(WEB)).length === COPIES;
  await until("the web servers", isThere, { seen: () => cluster.words("why", WEB) });
}

export async function drainUnderLoad({ cluster, measured }: Scene): Promise<void> {
  const [copy] = serving(await cluster.pods(WEB));
  assert.ok(copy?.node);
  const { node } = copy;
  const from = performance.now();
  const { requests, failures } = await underLoad(cluster, async () => {
    await cluster.command("drain", node);
    measured.seconds("drain of a host under load", performance.now() - from);
  });
  await cluster.command("uncordon", node);
  measured.note("drain under load: requests", `${requests}, ${failures.length} failed`);
  assert.deepEqual(failures, []);
  assert.ok((await cluster.pods()).every((at) => at.node !== node || at.isLeaving));
}

/** What clients ask the pods while `work` is done; it ends with it, also when that fails. */
async function underLoad(cluster: LabCluster, work: () => Promise<void>): Promise<LoadReport> {
  const balancer = new Balancer(cluster.client, cluster.servers, WEB);
  await until("the balancer knows a copy", () => balancer.next() !== undefined);
  const load = new Load({ next: () => balancer.next() });
  try {
    await work();
  } finally {
    await load.stop();
    await balancer.stop();
  }
  return load.stop();
}

/** Servers one by one, the leader last, then agents one by one, to a version of one minor more. */
export async function upgradeUnderLoad({ cluster, measured }: Scene): Promise<void> {
  const before = await cluster.pods();
  const containers = await containersOf(cluster.agents);
  const newer = copyProgram(join(cluster.lab.dir, "newer"), 1);
  const from = performance.now();
  const writes = new Writes({ client: cluster.client, servers: cluster.servers, name: "upgrade" });
  const { requests, failures } = await underLoad(cluster, () => upgradeAll(cluster, newer)).finally(() =>
    writes.stop(),
  );
  const wrote = await writes.stop();
  measured.seconds(`upgrade of ${cluster.lab.hosts.length} hosts under load`, performance.now() - from);
  measured.note("upgrade under load: requests to pods", `${requests}, ${failures.length} failed`);
  measured.note(
    "upgrade under load: writes",
    `${wrote.acknowledged.length} acknowledged, ${wrote.refusals.length} refused`,
  );
  assert.deepEqual(
    wrote.refusals.filter((words) => !/ECONNREFUSED|ECONNRESET|hang up/.test(words)),
    [],
    "only who is away says no",
  );
  measured.seconds("upgrade under load: longest time without a write", wrote.longestGapMs);
  assert.deepEqual(failures, []);
  assert.ok(wrote.longestGapMs < LEADER_CHANGE_MS, wrote.refusals.slice(0, 10).join("\n"));
  assert.deepEqual(await missingAt(cluster.client, cluster.server, wrote.acknowledged), []);
  assert.deepEqual(disturbed(before, await cluster.pods()), [], "no pod is moved or restarted");
  assert.deepEqual(await containersOf(cluster.agents), containers, "the same processes run");
  const versions = new Set((await cluster.nodes()).map(({ version }) => version));
  assert.deepEqual([...versions], [newer.version], "all nodes say the new version");
}

async function upgradeAll(cluster: LabCluster, newer: Program): Promise<void> {
  for (const host of [...(await leaderLast(cluster)), ...cluster.agents]) {
    cluster.setProgram(host, newer);
    await cluster.restart(host);
    if (cluster.agents.includes(host)) await cluster.untilReady([host]);
  }
}

async function leaderLast(cluster: LabCluster): Promise<readonly Host[]> {
  const leader = await cluster.leader();
  assert.ok(leader);
  return [...cluster.servers.filter((host) => host !== leader), leader];
}

function containersOf(hosts: readonly Host[]) {
  return Promise.all(hosts.map(runningContainers));
}
