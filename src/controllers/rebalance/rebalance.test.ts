import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { MovingCluster, type MovingOptions } from "../../../test/harness/moving-cluster.ts";
import { beginRebalance, stopRebalance } from "../../api/rebalance.ts";
import { CopiesBook } from "../../model/copies-book.ts";
import { isDisrupted } from "../../model/disruption.ts";
import { events } from "../../model/event.ts";
import { nodes } from "../../model/node.ts";
import { isLive, pods } from "../../model/pod.ts";
import { REBALANCE_NAME, type RebalancePlan, rebalances } from "../../model/rebalance.ts";
import { planRebalance } from "../../scheduling/rebalance/plan-rebalance.ts";
import { rebalanceController } from "./rebalance-controller.ts";

const THREE = [{ name: "n1" }, { name: "n2" }, { name: "n3" }];
const clusters: MovingCluster[] = [];

async function open(options: Partial<MovingOptions> = {}): Promise<MovingCluster> {
  const cluster = await MovingCluster.open({
    nodes: THREE,
    more: (scheduler) => [
      rebalanceController({ copies: [], elsewhere: (pod, stopsFirst) => scheduler.successorOf(pod, stopsFirst) }),
    ],
    ...options,
  });
  clusters.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

/** All copies on n1, because the others took no pods when they were made. */
async function crowded(cluster: MovingCluster, name: string, replicas: number): Promise<void> {
  const set = (cordoned: boolean) =>
    Promise.all(
      ["n2", "n3"].map((node) =>
        cluster.setNode(node, (one) => ({ ...one, spec: cordoned ? { unschedulable: true } : {} })),
      ),
    );
  await set(true);
  await cluster.run({ name, replicas });
  await set(false);
}

function planOf({ store }: MovingCluster, budget = 20): RebalancePlan {
  const now = { nodes: store.list(nodes), pods: store.list(pods) };
  const steps = planRebalance({ ...now, book: new CopiesBook([]), reader: store, strategy: "spread", budget });
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

async function begin(cluster: MovingCluster, atOnce = 3): Promise<RebalancePlan> {
  const plan = planOf(cluster);
  await cluster.store.update((tx) => beginRebalance(tx, plan, atOnce, "alice"));
  await cluster.clock.settle();
  return plan;
}

const present = ({ store }: MovingCluster) => store.get(rebalances, REBALANCE_NAME);
const phase = (cluster: MovingCluster) => present(cluster)?.status.phase;
const states = (cluster: MovingCluster) => present(cluster)?.status.moves.map(({ state }) => state) ?? [];
const ended = (cluster: MovingCluster) =>
  cluster.until("the rebalance has ended", () => phase(cluster) !== "running", 300_000);
const counts = (cluster: MovingCluster, name: string) =>
  THREE.map((node) => cluster.nodesOf(name).filter((one) => one === node.name).length).join("/");

describe("rebalance:", () => {
  test("starts before it stops, lands where the plan says, and never has fewer ready copies", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 9);
    const plan = await begin(cluster);
    assert.equal(plan.moves.length, 6);
    await ended(cluster);
    assert.equal(phase(cluster), "done");
    assert.equal(counts(cluster, "web"), plan.workloads[0]?.after.join("/"));
    assert.equal(cluster.fewestReady.get("web"), 9);
    assert.deepEqual(planOf(cluster).moves, [], "nothing is left to gain");
  });

  test("so many at once, and of a workload with few copies one", async () => {
    const cluster = await open();
    for (const name of ["a", "b", "c", "d"]) await crowded(cluster, name, 3);
    await begin(cluster, 2);
    let [all, ofOne] = [0, 0];
    await cluster.until("it has ended", () => {
      const marked = cluster.store.list(pods).filter((pod) => isDisrupted(pod) && isLive(pod));
      all = Math.max(all, marked.length);
      const owners = marked.map(({ metadata }) => metadata.ownerReferences?.[0]?.uid);
      ofOne = Math.max(ofOne, owners.length - new Set(owners).size);
      return phase(cluster) !== "running";
    });
    assert.deepEqual([all, ofOne], [2, 0]);
  });

  test("a successor that is not ready within 2 min calls it off: marks are taken back, what was started goes", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 9);
    const before = new Set(cluster.on("n1").map(({ metadata }) => metadata.uid));
    cluster.broken.add("n2").add("n3");
    await begin(cluster);
    await cluster.advance(115_000);
    assert.equal(phase(cluster), "running");
    await ended(cluster);
    assert.equal(phase(cluster), "failed");
    assert.match(
      present(cluster)?.status.message ?? "",
      /was not ready within 2 min: its successor web-\w+ on n[23] is not ready/,
    );
    await cluster.advance(10_000);
    assert.deepEqual(new Set(cluster.copiesOf("web").map(({ metadata }) => metadata.uid)), before);
    assert.equal(cluster.copiesOf("web").filter(isDisrupted).length, 0);
    assert.deepEqual(new Set(states(cluster)), new Set(["undone", "skipped"]));
  });

  test("stopped by a person: what is under way is called off, what is done stays done", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 9);
    await begin(cluster, 1);
    await cluster.until("two are done", () => states(cluster).filter((state) => state === "done").length === 2);
    await cluster.until("a third is under way", () => states(cluster).includes("starting"));
    await cluster.store.update((tx) => stopRebalance(tx, "bob"));
    await cluster.advance(10_000);
    assert.equal(phase(cluster), "stopped");
    assert.equal(counts(cluster, "web"), "7/1/1");
    assert.equal(cluster.copiesOf("web").filter(isDisrupted).length, 0);
  });

  test("a move that has lost its sense since is skipped, with the reason", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 3);
    const plan = planOf(cluster);
    const to = plan.moves[0]?.to ?? "";
    await cluster.setNode(to, (node) => ({ ...node, spec: { unschedulable: true } }));
    await cluster.store.update((tx) => beginRebalance(tx, plan, 3, "alice"));
    await ended(cluster);
    const [first] = present(cluster)?.status.moves ?? [];
    assert.deepEqual([first?.state, first?.reason], ["skipped", `${to} takes no pods any more`]);
  });

  test("a drain that comes in between takes over what it finds", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 3);
    cluster.broken.add("n2").add("n3");
    await begin(cluster);
    await cluster.until("one is under way", () => states(cluster).includes("starting"));
    await cluster.drain("n1");
    await cluster.advance(3_000);
    assert.ok(
      states(cluster).every((state) => state === "skipped"),
      states(cluster).join(),
    );
    assert.equal(present(cluster)?.status.moves[0]?.reason, "n1 is being drained, which moves it, too");
    cluster.broken.clear();
    await cluster.scale("web", 2);
    await cluster.until("n1 is drained", () => cluster.phaseOf("n1") === "drained");
  });

  test("a node that is lost in between calls it off", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 3);
    cluster.broken.add("n2").add("n3");
    await begin(cluster);
    await cluster.until("one is under way", () => states(cluster).includes("starting"));
    await cluster.setNode("n1", (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: "Ready", status: "Unknown" }] },
    }));
    await cluster.until("it is called off", () => phase(cluster) === "failed", 5_000);
    assert.match(present(cluster)?.status.message ?? "", /n1 is not ready any more/);
  });

  test("a restart of the control plane changes nothing: it goes on from the store", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 9);
    await begin(cluster);
    await cluster.until("one is under way", () => states(cluster).includes("starting"));
    clusters.length = 0;
    await cluster.close();
    const again = await open({ journal: cluster.journal, clock: cluster.clock });
    await ended(again);
    assert.equal(counts(again, "web"), "3/3/3");
  });

  test("there is one at a time, it is told in events, and once ended it writes nothing more", async () => {
    const cluster = await open();
    await crowded(cluster, "web", 9);
    const plan = await begin(cluster);
    await assert.rejects(
      cluster.store.update((tx) => beginRebalance(tx, plan, 3, "bob")),
      /under way already/,
    );
    await ended(cluster);
    await cluster.advance(5_000);
    const { revision } = cluster.store;
    await cluster.advance(60_000);
    assert.equal(cluster.store.revision, revision);
    const words = cluster.store.list(events).map(({ message }) => message);
    assert.ok(words.includes("alice rebalances the cluster: 6 moves, 3 at once"));
    assert.ok(words.includes("the rebalance ended; 6 of 6 moved"));
  });
});
