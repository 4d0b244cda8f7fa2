/** When a rebalance does not begin a move, and when it gives one up. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { MovingCluster } from "../../../test/harness/moving-cluster.ts";
import { beginRebalance } from "../../api/rebalance.ts";
import { CopiesBook } from "../../model/copies-book.ts";
import { isDisrupted } from "../../model/disruption.ts";
import { keyOf } from "../../model/meta.ts";
import { nodes } from "../../model/node.ts";
import { isReady, type Pod, pods } from "../../model/pod.ts";
import { REBALANCE_NAME, type RebalancePlan, rebalances } from "../../model/rebalance.ts";
import { planRebalance } from "../../scheduling/rebalance/plan-rebalance.ts";
import { deletePod } from "../../store/delete-pod.ts";
import { rebalanceController } from "./rebalance-controller.ts";

const clusters: MovingCluster[] = [];

/** Three copies of web on n1, because the others took no pods when they were made. */
async function crowded(): Promise<MovingCluster> {
  const cluster = await MovingCluster.open({
    nodes: [{ name: "n1" }, { name: "n2" }, { name: "n3" }],
    more: (scheduler) => [
      rebalanceController({ copies: [], elsewhere: (pod, stopsFirst) => scheduler.successorOf(pod, stopsFirst) }),
    ],
  });
  clusters.push(cluster);
  await cordon(cluster, true);
  await cluster.run({ name: "web", replicas: 3 });
  await cordon(cluster, false);
  return cluster;
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function cordon(cluster: MovingCluster, unschedulable: boolean): Promise<void> {
  for (const name of ["n2", "n3"])
    await cluster.setNode(name, (node) => ({ ...node, spec: { ...node.spec, unschedulable } }));
}

function planOf({ store }: MovingCluster): RebalancePlan {
  const now = { nodes: store.list(nodes), pods: store.list(pods) };
  const steps = planRebalance({ ...now, book: new CopiesBook([]), reader: store, strategy: "spread", budget: 20 });
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const statusOf = ({ store }: MovingCluster) => store.get(rebalances, REBALANCE_NAME)?.status;

const said = (pod: Pod, status: "True" | "False"): Pod => ({
  ...pod,
  status: { ...pod.status, conditions: [{ type: "Ready", status }] },
});

describe("a rebalance", () => {
  test("begins no move of a workload while another copy of it is not ready", async () => {
    const cluster = await crowded();
    const plan = planOf(cluster);
    const moved = new Set(plan.moves.map(({ uid }) => uid));
    const stays = cluster.copiesOf("web").find(({ metadata }) => !moved.has(metadata.uid)) ?? assert.fail("one stays");
    await cluster.store.update((tx) => {
      tx.update(pods, said(stays, "False"));
      beginRebalance(tx, plan, 3, "alice");
    });
    await cluster.advance(20_000);
    assert.equal(cluster.copiesOf("web").filter(isDisrupted).length, 0);
    assert.deepEqual(
      statusOf(cluster)?.moves.map(({ state, reason }) => `${state}: ${reason}`),
      plan.moves.map(() => "waiting: another copy is not ready yet"),
    );
    await cluster.store.update((tx) =>
      tx.update(pods, said(tx.get(pods, keyOf(stays)) ?? assert.fail("it is there"), "True")),
    );
    await cluster.until("it has ended", () => statusOf(cluster)?.phase === "done");
    assert.ok(cluster.copiesOf("web").every(isReady));
  });

  test("gives up when a successor is placed where the old copy is", async () => {
    const cluster = await crowded();
    cluster.broken.add("n2").add("n3");
    const plan = planOf(cluster);
    await cluster.store.update((tx) => beginRebalance(tx, plan, 3, "alice"));
    const elsewhere = () => cluster.copiesOf("web").filter(({ spec }) => spec.nodeName && spec.nodeName !== "n1");
    await cluster.until("a successor is on its way", () => elsewhere().length === 1);
    await cordon(cluster, true);
    const [successor = assert.fail("there is one")] = elsewhere();
    await cluster.store.update((tx) => deletePod(tx, successor));
    await cluster.until("it has ended", () => statusOf(cluster)?.phase !== "running", 20_000);
    assert.equal(statusOf(cluster)?.phase, "failed");
    assert.match(statusOf(cluster)?.message ?? "", /the successor of default\/web-\w+ was placed on n1 again/);
    await cluster.advance(5_000);
    assert.equal(cluster.copiesOf("web").filter(isDisrupted).length, 0);
    assert.equal(cluster.copiesOf("web").length, 3);
  });
});
