import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { MovingCluster, type MovingOptions } from "../../../test/harness/moving-cluster.ts";
import { disruptionOf, isDisrupted } from "../../model/disruption.ts";
import { events } from "../../model/event.ts";
import { nodeDrains } from "../../model/node-drain.ts";
import { isLive, isReady, pods } from "../../model/pod.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { deletePod } from "../../store/delete-pod.ts";

class JumpingClock extends ManualClock {
  jumpedMs = 0;

  override now(): number {
    return super.now() + this.jumpedMs;
  }
}

const THREE = [{ name: "n1" }, { name: "n2" }, { name: "n3" }];
const clusters: MovingCluster[] = [];

async function open(options: Partial<MovingOptions> = {}): Promise<MovingCluster> {
  const cluster = await MovingCluster.open({ nodes: THREE, ...options });
  clusters.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

const drained = (cluster: MovingCluster, node: string) =>
  cluster.until(`${node} is drained`, () => cluster.phaseOf(node) === "drained");

describe("drain:", () => {
  test("the successor starts before the old copy stops: never fewer ready copies than before", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    await cluster.run({ name: "solo", replicas: 1 });
    await cluster.drain("n1");
    await drained(cluster, "n1");
    assert.deepEqual(cluster.on("n1"), []);
    assert.equal(cluster.fewestReady.get("web"), 3);
    assert.equal(cluster.fewestReady.get("solo"), 1);
    assert.equal(cluster.copiesOf("web").length, 3);
  });

  test("a successor that does not become ready keeps the old copy running, and is named", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    cluster.broken.add("n2").add("n3");
    await cluster.drain("n1");
    await cluster.advance(50_000);
    assert.equal(cluster.phaseOf("n1"), "draining");
    await cluster.advance(20_000);
    assert.equal(cluster.phaseOf("n1"), "blocked");
    assert.equal(cluster.fewestReady.get("web"), 3);
    assert.match(cluster.rowsOf("n1").join(), /web starting: its successor web-\w+ on n[23] is not ready yet/);
  });

  test("successors that do not become ready hold up nobody else: their slots are given back, and they are named", async () => {
    const cluster = await open();
    const others = ["n2", "n3"];
    for (const node of others)
      await cluster.setNode(node, (one) => ({ ...one, spec: { ...one.spec, unschedulable: true } }));
    const bad = ["bad1", "bad2", "bad3", "bad4", "bad5"];
    for (const name of [...bad, "good1", "good2", "good3"]) await cluster.run({ name, replicas: 1, cpu: "10m" });
    for (const node of others) await cluster.uncordon(node);
    for (const name of bad) cluster.broken.add(name);
    await cluster.drain("n1");
    await cluster.advance(50_000);
    assert.equal(cluster.phaseOf("n1"), "draining");
    assert.match(cluster.rowsOf("n1").join(), /good1 waiting: its turn comes after bad1, bad2, bad3 and 2 more/);
    await cluster.until("nothing goes on", () => cluster.phaseOf("n1") === "blocked");
    const left = cluster.on("n1").map(({ metadata }) => metadata.name.split("-")[0]);
    assert.deepEqual(left.sort(), bad, "what could move has moved");
    assert.ok(cluster.on("n1").every(isDisrupted), "the marks stay");
    assert.match(
      cluster.rowsOf("n1").join(),
      /bad1 starting: its successor bad1-\w+ on n[23] is not ready yet; others/,
    );
    const words = cluster.store.list(events).map(({ message }) => message);
    assert.ok(words.some((word) => /^the drain waits: default\/bad1-\w+: its successor .*, and 4 more$/.test(word)));
    for (const name of bad) cluster.broken.delete(name);
    await cluster.store.update((tx) => {
      for (const pod of tx.list(pods)) if (!isReady(pod)) deletePod(tx, pod);
    });
    await drained(cluster, "n1");
    for (const name of bad) assert.equal(cluster.fewestReady.get(name) ?? 1, 1, name);
  });

  test("a copy that waits for another one whose move is held up is no reason to say that something goes on", async () => {
    const cluster = await open({ nodes: [{ name: "n1" }, { name: "n2" }] });
    await cluster.run({ name: "web", replicas: 4 });
    cluster.broken.add("n2");
    await cluster.drain("n1");
    await cluster.until("nothing goes on", () => cluster.phaseOf("n1") === "blocked");
    assert.match(
      cluster.rowsOf("n1").join(),
      /web waiting: another copy is being moved, and its successor is not ready/,
    );
    assert.equal(cluster.fewestReady.get("web"), 4);
  });

  test("a node that was silent in between is drained on as before: the old copy waits for its successor", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    cluster.broken.add("n2").add("n3");
    await cluster.drain("n1");
    await cluster.advance(5_000);
    const setReady = (word: "True" | "Unknown") =>
      cluster.setNode("n1", (node) => {
        const others = node.status.conditions.filter(({ type }) => type !== "Ready");
        return { ...node, status: { ...node.status, conditions: [...others, { type: "Ready", status: word }] } };
      });
    await setReady("Unknown");
    await cluster.advance(5_000);
    await setReady("True");
    await cluster.advance(30_000);
    assert.equal(cluster.fewestReady.get("web"), 3);
    assert.equal(cluster.phaseOf("n1"), "draining");
  });

  test("a copy counts once it has stayed ready for a moment", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 1 });
    const [node = ""] = cluster.nodesOf("web");
    await cluster.drain(node);
    await cluster.until("its successor is ready", () => cluster.copiesOf("web").length === 2);
    await cluster.advance(1_100);
    assert.equal(cluster.on(node)[0]?.metadata.deletionTimestamp, undefined);
    await drained(cluster, node);
  });

  test("of a workload with few copies one moves at a time, of many a tenth", async () => {
    const cluster = await open({ nodes: [{ name: "n1", pods: "200" }, ...THREE.slice(1)] });
    await cluster.setNode("n2", (node) => ({ ...node, spec: { ...node.spec, unschedulable: true } }));
    await cluster.setNode("n3", (node) => ({ ...node, spec: { ...node.spec, unschedulable: true } }));
    await cluster.run({ name: "few", replicas: 4, cpu: "10m" });
    await cluster.run({ name: "many", replicas: 30, cpu: "10m" });
    await cluster.uncordon("n2");
    await cluster.drain("n1", { atOnce: 20 });
    const marked = (name: string) => cluster.copiesOf(name).filter((pod) => isDisrupted(pod) && isLive(pod)).length;
    let [few, many] = [0, 0];
    await cluster.until("n1 is drained", () => {
      few = Math.max(few, marked("few"));
      many = Math.max(many, marked("many"));
      return cluster.phaseOf("n1") === "drained";
    });
    assert.deepEqual([few, many], [1, 3]);
  });

  test("at most as many pods of a node are on the move at once as was asked", async () => {
    const cluster = await open();
    for (const name of ["a", "b", "c", "d", "e", "f"])
      await cluster.run({ name, replicas: 1, spec: { nodeSelector: {} } });
    const all = ["n2", "n3"];
    for (const node of all)
      await cluster.setNode(node, (one) => ({ ...one, spec: { ...one.spec, unschedulable: true } }));
    for (const name of ["u", "v", "w", "x", "y", "z"]) await cluster.run({ name, replicas: 1 });
    for (const node of all) await cluster.uncordon(node);
    await cluster.drain("n1", { atOnce: 2 });
    let most = 0;
    await cluster.until("n1 is drained", () => {
      most = Math.max(
        most,
        cluster.on("n1").filter((pod) => isDisrupted(pod) || pod.metadata.deletionTimestamp).length,
      );
      return cluster.phaseOf("n1") === "drained";
    });
    assert.equal(most, 2);
  });

  test("two nodes drained at once respect the floor of a workload across both", async () => {
    const cluster = await open({ nodes: [...THREE, { name: "n4" }] });
    await cluster.run({ name: "web", replicas: 4 });
    await cluster.drain("n1");
    await cluster.drain("n2");
    await drained(cluster, "n1");
    await drained(cluster, "n2");
    assert.equal(cluster.fewestReady.get("web"), 4);
    assert.deepEqual(new Set(cluster.nodesOf("web")), new Set(["n3", "n4"]));
  });

  test("an exclusive pod stops first: its successor is made when it has gone", async () => {
    const cluster = await open();
    await cluster.run({ name: "db", replicas: 1, spec: { exclusive: true } });
    const [node = ""] = cluster.nodesOf("db");
    await cluster.drain(node);
    let most = 0;
    await cluster.until("db runs elsewhere", () => {
      most = Math.max(most, cluster.copiesOf("db").length);
      return cluster.phaseOf(node) === "drained" && cluster.copiesOf("db").length === 1;
    });
    assert.equal(most, 1);
  });

  test("for what stops first, a place is looked for as if it had stopped already", async () => {
    const zone = { [NODE_LABEL.zone]: "z1" };
    const cluster = await open({ nodes: THREE.map((node) => ({ ...node, labels: zone })) });
    const alone = {
      type: "atMost",
      topologyKey: NODE_LABEL.zone,
      count: 1,
      pods: { by: "workload", glob: "db" },
    } as const;
    await cluster.run({ name: "db", replicas: 1, spec: { exclusive: true, constraints: [alone] } });
    const [node = ""] = cluster.nodesOf("db");
    await cluster.drain(node);
    await drained(cluster, node);
    await cluster.until("db runs elsewhere", () => cluster.copiesOf("db").some(isReady));
  });

  test("what has nowhere to go runs on, named with the scheduler's reason, and moves when there is room", async () => {
    const cluster = await open();
    await cluster.run({ name: "pinned", replicas: 1, spec: { nodeSelector: { "kubernetes.io/hostname": "n1" } } });
    await cluster.run({ name: "db", replicas: 1, spec: { exclusive: true, nodeSelector: { disk: "ssd" } } });
    await cluster.setNode("n1", (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, disk: "ssd" } },
    }));
    await cluster.until("db runs", () => cluster.nodesOf("db")[0] === "n1");
    await cluster.advance(2_000);
    await cluster.drain("n1");
    await cluster.until("it is blocked", () => cluster.phaseOf("n1") === "blocked");
    assert.match(cluster.rowsOf("n1").join("\n"), /pinned stuck: 0 of 3 nodes can take it\./);
    assert.equal(cluster.on("n1").filter(({ metadata }) => metadata.deletionTimestamp).length, 0);
    await cluster.setNode("n2", (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, disk: "ssd" } },
    }));
    await cluster.until("db has moved", () => cluster.nodesOf("db")[0] === "n2");
    assert.equal(cluster.on("n1").length, 1);
  });

  test("a node that has been looked at again without a change is not written again", async () => {
    const cluster = await open();
    await cluster.run({ name: "pinned", replicas: 1, spec: { nodeSelector: { "kubernetes.io/hostname": "n1" } } });
    await cluster.drain("n1");
    await cluster.advance(10_000);
    const { revision } = cluster.store;
    await cluster.advance(60_000);
    assert.equal(cluster.store.revision, revision);
  });

  test("a pod that nobody keeps stays and is named; with force it is deleted, last", async () => {
    const cluster = await open();
    await cluster.pod("shell", "n1");
    await cluster.drain("n1");
    await drained(cluster, "n1");
    assert.match(cluster.rowsOf("n1").join(), /shell stays: nothing would start it elsewhere/);
    assert.equal(cluster.on("n1").length, 1);
    await cluster.drain("n1", { force: true });
    await cluster.until("n1 is empty", () => cluster.phaseOf("n1") === "drained" && cluster.on("n1").length === 0);
    assert.deepEqual(cluster.rowsOf("n1"), ["shell deleted: it was to be deleted with --force"]);
    const words = cluster.store.list(events).map(({ message }) => message);
    assert.ok(words.includes("drained: 0 moved, 1 deleted, it is empty"), words.join("\n"));
  });

  test("what belongs to the machine stays, by the word of whoever keeps it", async () => {
    const stays = { wanted: 1, moves: "stays", why: "it is global" } as const;
    const copies = [{ owner: "ReplicationController", copiesOf: () => stays }];
    const cluster = await open({ copies });
    await cluster.run({ name: "agent", replicas: 1 });
    const [node = ""] = cluster.nodesOf("agent");
    await cluster.drain(node, { force: true, deadlineMs: 5_000 });
    await cluster.advance(10_000);
    assert.deepEqual(cluster.rowsOf(node), ["agent stays: it is global"]);
    assert.equal(cluster.on(node).length, 1);
  });

  test("system pods go last", async () => {
    const cluster = await open();
    for (const node of ["n2", "n3"])
      await cluster.setNode(node, (one) => ({ ...one, spec: { ...one.spec, unschedulable: true } }));
    await cluster.run({ name: "dns", replicas: 1, namespace: "kube-system" });
    await cluster.run({ name: "proxy", replicas: 1, spec: { priorityClassName: "system-node-critical" } });
    await cluster.run({ name: "web", replicas: 1 });
    await cluster.run({ name: "zeta", replicas: 1 });
    await cluster.uncordon("n2");
    await cluster.drain("n1");
    const isHere = (name: string) => cluster.copiesOf(name).some(({ spec }) => spec.nodeName === "n1");
    await cluster.until("n1 is drained", () => {
      const marked = ["dns", "proxy"].some((name) => cluster.copiesOf(name).some(isDisrupted));
      if (marked) assert.deepEqual([isHere("web"), isHere("zeta")], [false, false]);
      return cluster.phaseOf("n1") === "drained";
    });
  });

  test("after the deadline the rest is stopped anyway", async () => {
    const cluster = await open();
    await cluster.run({ name: "pinned", replicas: 1, spec: { nodeSelector: { "kubernetes.io/hostname": "n1" } } });
    await cluster.drain("n1", { deadlineMs: 20_000 });
    await cluster.advance(15_000);
    assert.equal(cluster.on("n1").length, 1);
    await cluster.until("n1 is empty", () => cluster.on("n1").length === 0, 10_000);
    assert.equal(cluster.phaseOf("n1"), "drained");
  });

  test("a clock that is set to another time of day neither hastens the deadline nor puts it off", async () => {
    for (const jumpMs of [3 * 3_600_000, -3 * 3_600_000]) {
      const clock = new JumpingClock();
      const cluster = await open({ clock });
      await cluster.run({ name: "pinned", replicas: 1, spec: { nodeSelector: { "kubernetes.io/hostname": "n1" } } });
      await cluster.drain("n1", { deadlineMs: 60_000 });
      await cluster.advance(10_000);
      clock.jumpedMs = jumpMs;
      await cluster.advance(40_000);
      assert.equal(cluster.on("n1").length, 1, "its time has not come");
      await cluster.until("n1 is empty", () => cluster.on("n1").length === 0, 20_000);
    }
  });

  test("uncordon ends it: marks are taken back, and what started elsewhere for them goes", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    const before = cluster.on("n1").map(({ metadata }) => metadata.uid);
    cluster.broken.add("n2").add("n3");
    await cluster.drain("n1");
    await cluster.advance(10_000);
    assert.equal(cluster.on("n1").filter(isDisrupted).length, 1);
    await cluster.uncordon("n1");
    await cluster.advance(10_000);
    assert.deepEqual(
      cluster.on("n1").map(({ metadata }) => metadata.uid),
      before,
    );
    assert.equal(cluster.copiesOf("web").filter(isDisrupted).length, 0);
    assert.equal(cluster.copiesOf("web").length, 3);
    assert.equal(cluster.store.get(nodeDrains, "n1"), undefined);
  });

  test("a restart of the control plane changes nothing: the drain goes on from the store", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    cluster.broken.add("n2").add("n3");
    await cluster.drain("n1");
    await cluster.advance(3_000);
    const { journal, clock } = cluster;
    clusters.length = 0;
    await cluster.close();
    const again = await open({ journal, clock });
    assert.equal(again.phaseOf("n1"), "draining");
    await drained(again, "n1");
    assert.equal(again.copiesOf("web").length, 3);
  });

  test("a second drain of the same node joins the one under way", async () => {
    const cluster = await open();
    await cluster.run({ name: "pinned", replicas: 1, spec: { nodeSelector: { "kubernetes.io/hostname": "n1" } } });
    await cluster.drain("n1");
    await cluster.advance(5_000);
    const { uid } = cluster.store.get(nodeDrains, "n1")?.metadata ?? {};
    await cluster.drain("n1", { deadlineMs: 10_000 });
    assert.equal(cluster.store.get(nodeDrains, "n1")?.metadata.uid, uid);
    await drained(cluster, "n1");
  });

  test("a node that goes silent while it is drained is the lifecycle's: nothing of it is stopped", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    await cluster.setNode("n1", (node) => ({
      ...node,
      spec: { ...node.spec, unschedulable: true },
      status: { ...node.status, conditions: [{ type: "Ready", status: "Unknown", message: "silent for 8 s" }] },
    }));
    await cluster.drain("n1");
    await cluster.advance(20_000);
    const [pod] = cluster.on("n1");
    assert.equal(pod && disruptionOf(pod), undefined);
    assert.match(cluster.store.get(nodeDrains, "n1")?.status.note ?? "", /not ready: silent for 8 s/);
    await cluster.setNode("n1", (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: "Ready", status: "True" }] },
    }));
    await drained(cluster, "n1");
  });

  test("a pod that is not ready is stopped at once, as that costs nobody anything", async () => {
    const cluster = await open();
    cluster.broken.add("web");
    await cluster.run({ name: "web", replicas: 3 });
    await cluster.drain("n1");
    await cluster.until("n1 is empty", () => cluster.on("n1").length === 0, 5_000);
  });

  test("scaled down while it is drained, it waits for no more copies than are wanted", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    cluster.broken.add("n2").add("n3");
    await cluster.drain("n1");
    await cluster.advance(3_000);
    await cluster.scale("web", 2);
    await drained(cluster, "n1");
  });

  test("what happens is told in events, on the node and on the pods", async () => {
    const cluster = await open();
    await cluster.run({ name: "web", replicas: 3 });
    await cluster.drain("n1", { deadlineMs: 600_000 });
    await drained(cluster, "n1");
    const words = cluster.store.list(events).map(({ reason, message }) => `${reason}: ${message}`);
    for (const wanted of [
      /^Draining: alice drains it: its pods move elsewhere; what has not moved by \S+ is stopped anyway$/,
      /^Moving: n1 is being drained: a successor starts elsewhere, then this one stops$/,
      /^Drained: drained: 1 moved, it is empty$/,
    ])
      assert.ok(
        words.some((word) => wanted.test(word)),
        `${wanted} in\n${words.join("\n")}`,
      );
    assert.equal(cluster.store.list(pods).length, 3);
  });

  test("a pod that names the taint of a cordon stays: its successor would start there again", async () => {
    const cluster = await open();
    const toleration = { key: "node.kubernetes.io/unschedulable", operator: "Exists" } as const;
    await cluster.run({ name: "probe", replicas: 3, spec: { tolerations: [toleration] } });
    await cluster.drain("n1", { deadlineMs: 5_000 });
    await drained(cluster, "n1");
    await cluster.advance(10_000);
    assert.equal(cluster.on("n1").length, 1);
    assert.match(cluster.rowsOf("n1").join(), /probe stays: it tolerates that its node is cordoned/);
  });
});
