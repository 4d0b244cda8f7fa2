/** Styrmann in the lab: three servers on etcd, and hosts that join; the same hosts, the same image and the same looks as swarm-side.ts. */
import { setTimeout as delay } from "node:timers/promises";
import { startEtcd } from "../../test/lab/harness/etcd.ts";
import type { Host } from "../../test/lab/harness/host.ts";
import { LabCluster } from "../../test/lab/harness/lab-cluster.ts";
import { startStyr } from "../../test/lab/harness/styr.ts";
import { until } from "../../test/lab/harness/wait.ts";
import { replicas } from "../../test/lab/harness/workloads.ts";
import { SERVICE_IMAGE, SERVICE_PORT, SIZES, type Times, untilAccepted, untilServed, whoServes } from "./side.ts";

/** After its start a control plane takes nobody's silence for an answer, for so long (`styr settings`); what is measured is the usual day. */
const START_GRACE_MS = 30_000;

export async function measureStyr(): Promise<Times> {
  const cluster = await LabCluster.open(SIZES);
  try {
    await begin(cluster);
    const [last] = cluster.agents.slice(-1) as [Host];
    for (const host of cluster.agents.slice(0, -1)) await join(cluster, host);
    const joined = await firstOn(cluster, last);
    await cluster.create(replicas("web", { replicas: 1, hostPort: SERVICE_PORT }));
    await untilServed(cluster.agents, performance.now());
    await delay(START_GRACE_MS);
    return { ...joined, hostDeathMs: await lose(cluster), failoverMs: await loseLeader(cluster) };
  } finally {
    cluster.close();
  }
}

async function begin(cluster: LabCluster): Promise<void> {
  await startEtcd(cluster.servers);
  const [first, ...others] = cluster.servers as [Host, ...Host[]];
  await startStyr(first, cluster.programOf(first), ["server", "--store", cluster.store]);
  await cluster.signIn();
  for (const host of others) {
    const [url, token] = await cluster.tokenFor("server");
    await cluster.join(host, url, token, "--no-agent");
  }
  await cluster.startEngines();
  for (const host of cluster.agents) await host.must(["docker", "pull", "-q", SERVICE_IMAGE]);
}

async function join(cluster: LabCluster, host: Host): Promise<void> {
  const [url, token] = await cluster.tokenFor("agent");
  await cluster.join(host, url, token);
  await cluster.untilReady([host]);
}

/** A pod waits for this host alone, which joins then. */
async function firstOn(cluster: LabCluster, host: Host): Promise<Pick<Times, "joinToReadyMs" | "joinToServingMs">> {
  const nodeSelector = { "kubernetes.io/hostname": host.name };
  await cluster.create(replicas("first", { replicas: 1, hostPort: SERVICE_PORT, nodeSelector }));
  const [url, token] = await cluster.tokenFor("agent");
  const fromMs = performance.now();
  const served = untilServed([host], fromMs);
  const started = cluster.join(host, url, token);
  await cluster.untilReady([host]);
  const joinToReadyMs = performance.now() - fromMs;
  const joinToServingMs = await served;
  await started;
  await cluster.remove("first");
  await until("the first one is gone", async () => (await whoServes([host])) === undefined);
  return { joinToReadyMs, joinToServingMs };
}

async function lose(cluster: LabCluster): Promise<number> {
  const victim = await whoServes(cluster.agents);
  if (!victim) throw new Error("nobody serves");
  const fromMs = performance.now();
  victim.powerOff();
  return untilServed(
    cluster.agents.filter((host) => host !== victim),
    fromMs,
  );
}

async function loseLeader(cluster: LabCluster): Promise<number> {
  const leader = await cluster.leader();
  if (!leader) throw new Error("nobody leads");
  const [survivor] = cluster.servers.filter((host) => host !== leader) as [Host];
  const fromMs = performance.now();
  leader.powerOff();
  return untilAccepted(fromMs, async (n) => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `n${n}` } };
    const path = "/api/v1/namespaces/default/configmaps";
    const answer = await cluster.client.ask(survivor, path, { method: "POST", body }).catch((error: Error) => error);
    return !(answer instanceof Error) && answer.status === 201;
  });
}
