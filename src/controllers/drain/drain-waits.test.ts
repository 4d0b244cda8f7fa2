/** What a drain leaves alone, for now or altogether. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { MovingCluster } from "../../../test/harness/moving-cluster.ts";
import { withDisruption } from "../../model/disruption.ts";
import { keyOf } from "../../model/meta.ts";
import { isReady, type Pod, pods } from "../../model/pod.ts";

const THREE = [{ name: "n1" }, { name: "n2" }, { name: "n3" }];
const clusters: MovingCluster[] = [];

async function open(): Promise<MovingCluster> {
  const cluster = await MovingCluster.open({ nodes: THREE });
  clusters.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function change({ store, clock }: MovingCluster, pod: Pod, how: (pod: Pod) => Pod): Promise<void> {
  await store.update((tx) => tx.update(pods, how(tx.get(pods, keyOf(pod)) ?? assert.fail("it is there"))));
  await clock.settle();
}

const ready = (pod: Pod): Pod => ({
  ...pod,
  status: { ...pod.status, conditions: [{ type: "Ready", status: "True" }] },
});

describe("a drain leaves alone", () => {
  test("what has to stop first while another copy of it is not ready", async () => {
    const cluster = await open();
    cluster.broken.add("n2");
    await cluster.run({ name: "db", replicas: 3, spec: { exclusive: true } });
    const other = cluster.copiesOf("db").find((pod) => !isReady(pod)) ?? assert.fail("one is not ready");
    await cluster.drain("n1");
    await cluster.advance(20_000);
    assert.equal(cluster.on("n1").length, 1);
    assert.equal(cluster.on("n1")[0]?.metadata.deletionTimestamp, undefined);
    assert.deepEqual(cluster.rowsOf("n1"), [`db waiting: ${other.metadata.name} is not ready`]);
    await change(cluster, other, ready);
    await cluster.until("n1 is drained", () => cluster.phaseOf("n1") === "drained");
  });

  test("what was replaced when its node was lost: its successor is elsewhere, and it is not moved once more", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    const [lost = assert.fail("one is on n1")] = cluster.on("n1");
    await cluster.store.update((tx) => tx.update(pods, withDisruption(lost, "NodeUnreachable", "silent", tx.nowMs)));
    await cluster.drain("n1");
    await cluster.advance(20_000);
    assert.deepEqual(
      cluster.on("n1").map(({ metadata }) => [metadata.uid, metadata.deletionTimestamp]),
      [[lost.metadata.uid, undefined]],
    );
    assert.match(cluster.rowsOf("n1").join(), /^web waiting: its node was lost: its successor is elsewhere/);
  });
});
