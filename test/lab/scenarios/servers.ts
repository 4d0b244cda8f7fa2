import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { etcdLeader } from "../harness/etcd.ts";
import type { Host } from "../harness/host.ts";
import { disturbed } from "../harness/pods.ts";
import { until } from "../harness/wait.ts";
import { missingAt, Writes } from "../harness/writes.ts";
import { type Scene, STEADY } from "./scenario.ts";

/** The requirement: without its leader the cluster takes writes again within so long. */
const WRITES_AGAIN_MS = 5_000;
const CUT_MS = 12_000;

export async function cutLeader(scene: Scene): Promise<void> {
  const leader = await scene.cluster.leader();
  assert.ok(leader, "somebody leads");
  await cutOne(scene, leader, "server that leads cut off", "lead");
}

export async function cutFollower(scene: Scene): Promise<void> {
  const leads = await scene.cluster.leader();
  const [follower] = scene.cluster.servers.filter((host) => host !== leads);
  assert.ok(follower);
  await cutOne(scene, follower, "server that follows cut off", "follow");
}

/** Whether or not a server leads on the same host. */
export async function cutEtcdLeader(scene: Scene): Promise<void> {
  const leader = await etcdLeader(scene.cluster.servers);
  assert.ok(leader, "etcd has a leader");
  await cutOne(scene, leader, "host of etcd's leader cut off", "etcd");
}

/** The cable out and in again, while clients write through the two others. */
async function cutOne({ cluster, measured }: Scene, victim: Host, what: string, name: string): Promise<void> {
  const others = cluster.servers.filter((host) => host !== victim);
  const [other] = others as [Host];
  const before = await cluster.pods(STEADY, other);
  const writes = new Writes({ client: cluster.client, servers: others, name });
  await delay(1000);
  cluster.lab.fabric.cable(victim.n, false);
  try {
    await delay(CUT_MS);
    // Whatever was asked before, the minority must not say that it has written.
    const { acknowledged, refusals, longestGapMs } = await writes.stop();
    measured.seconds(`${what}: longest time without a write`, longestGapMs);
    measured.note(`${what}: writes`, `${acknowledged.length} acknowledged, ${refusals.length} refused`);
    assert.ok(
      longestGapMs < WRITES_AGAIN_MS,
      `writes again after ${longestGapMs} ms: ${refusals.slice(0, 5).join("\n")}`,
    );
    assert.deepEqual(await missingAt(cluster.client, other, acknowledged), [], "no acknowledged write is lost");
  } finally {
    cluster.lab.heal(victim);
  }
  await backInTheFold({ cluster }, victim);
  assert.deepEqual(disturbed(before, await cluster.pods(STEADY, other)), [], "no pod felt it");
}

async function backInTheFold({ cluster }: Pick<Scene, "cluster">, host: Host): Promise<void> {
  await cluster.membersHealthy();
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "back-" } };
  const writes = async () => {
    const path = "/api/v1/namespaces/default/configmaps";
    const answer = await cluster.client.ask(host, path, { method: "POST", body }).catch((error: Error) => error);
    return !(answer instanceof Error) && answer.status === 201;
  };
  await until(`${host.name} takes writes again`, writes, { seen: () => cluster.words("status") });
  await cluster.untilReady(cluster.agents, host);
}
