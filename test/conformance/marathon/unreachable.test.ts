import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isTerminal } from "../../../src/model/pod.ts";
import { disrupt, giveUp, loseNode, returnNode } from "../lost-node.ts";
import { Cluster } from "./cluster.ts";

interface Task {
  readonly id: string;
  readonly state: string;
  readonly slaveId: string;
}

describe("a node that is lost", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode("n1");
    await cluster.addNode("n2");
  });
  afterEach(() => cluster.close());

  /** One instance each on n1 and n2. */
  async function deploy(more: object = {}): Promise<void> {
    const answer = await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1", instances: 2, ...more });
    assert.equal(answer.status, 201, answer.text);
    await cluster.settle();
    for (const [at, pod] of cluster.live("/a").entries()) await cluster.bind(pod, at === 0 ? "n1" : "n2");
    await cluster.converge();
  }

  const tasks = async (): Promise<readonly Task[]> => (await cluster.call("GET", "/v2/apps/a/tasks")).body.tasks;
  const on = async (node: string) => (await tasks()).filter(({ slaveId }) => slaveId === node);
  const waiting = () => cluster.live("/a").filter(({ spec }) => spec.nodeName === undefined);
  const app = async () => (await cluster.call("GET", "/v2/apps/a")).body.app;

  test("its tasks are TASK_UNREACHABLE, are not counted as running, and are replaced once they are given up", async () => {
    await deploy({ unreachableStrategy: { inactiveAfterSeconds: 60, expungeAfterSeconds: 120 } });
    await loseNode(cluster.store, "n1", false);
    await cluster.settle();
    assert.deepEqual(
      (await on("n1")).map(({ state }) => state),
      ["TASK_UNREACHABLE"],
    );
    assert.equal((await app()).tasksRunning, 1);
    assert.equal(waiting().length, 0, "it is waited for until inactiveAfterSeconds are over");
    await giveUp(cluster.store, "n1");
    await cluster.settle();
    assert.equal(waiting().length, 1);
    assert.equal((await on("n1"))[0]?.state, "TASK_UNREACHABLE");
  });

  test("inactiveAfterSeconds and disabled are the pod's own rule", async () => {
    await deploy({ unreachableStrategy: { inactiveAfterSeconds: 60, expungeAfterSeconds: 120 } });
    assert.deepEqual(cluster.live("/a")[0]?.spec.whenUnreachable, { action: "replace", afterMs: 60_000 });
    await cluster.call("POST", "/v2/apps", { id: "kept", cmd: "sleep 1", unreachableStrategy: "disabled" });
    await cluster.settle();
    assert.deepEqual(cluster.live("/kept")[0]?.spec.whenUnreachable, { action: "keep" });
  });

  test("a lost task is forgotten after expungeAfterSeconds, and 30 s at the earliest", async () => {
    await deploy();
    await loseNode(cluster.store, "n1");
    await cluster.settle();
    assert.equal((await on("n1")).length, 1);
    cluster.clock.forward(31_000);
    await cluster.nudge("/a");
    await cluster.until("the task to be forgotten", async () => (await on("n1")).length === 0);
    assert.equal(cluster.live("/a").length, 3, "its pod is still there, as nobody can stop it");
  });

  test("when it is back, the returned task is the surplus; one that is not yet running goes before it", async () => {
    await deploy();
    await loseNode(cluster.store, "n1");
    await cluster.obey();
    const [successor] = cluster
      .live("/a")
      .filter(({ spec }) => spec.nodeName === "n1")
      .slice(-1);
    assert.ok(successor);
    await returnNode(cluster.store, "n1");
    await cluster.settle();
    const gone = cluster.pods("/a").filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    assert.equal(gone.length, 1);
    assert.ok(gone[0]?.status.conditions?.some(({ reason }) => reason === "NodeReturned"));
  });

  test("a successor that found no place is the one that goes", async () => {
    await deploy();
    await loseNode(cluster.store, "n1");
    await cluster.settle();
    assert.equal(waiting().length, 1);
    await returnNode(cluster.store, "n1");
    await cluster.settle();
    assert.equal(waiting().length, 0);
    assert.deepEqual(
      (await tasks()).map(({ state }) => state),
      ["TASK_RUNNING", "TASK_RUNNING"],
    );
  });

  test("a forgotten task that comes back while nothing has taken its place counts again", async () => {
    await deploy();
    await loseNode(cluster.store, "n1");
    await cluster.settle();
    cluster.clock.forward(31_000);
    await cluster.nudge("/a");
    await cluster.until("the task to be forgotten", async () => (await on("n1")).length === 0);
    await returnNode(cluster.store, "n1");
    await cluster.settle();
    assert.equal((await on("n1"))[0]?.state, "TASK_RUNNING");
    const [pod] = cluster.live("/a").filter(({ spec }) => spec.nodeName === "n1");
    assert.equal(pod?.metadata.annotations?.["marathon.styrmann.dev/expunged"], undefined);
  });

  test("an update does not take what is lost for what is healthy", async () => {
    await deploy({ upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 } });
    await loseNode(cluster.store, "n1");
    await cluster.settle();
    // The deployment that replaces the lost task is none of a user's: nothing is locked.
    assert.equal((await cluster.call("PUT", "/v2/apps/a", { cmd: "sleep 2" })).status, 200);
    await cluster.settle();
    const running = cluster.live("/a").filter((pod) => pod.spec.nodeName === "n2");
    assert.equal(running.length, 1, "the only healthy one is the floor: ceil(2 x 0.5)");
    await cluster.converge();
    assert.equal((await app()).tasksRunning, 2);
  });

  test("an app whose last task is on a lost node can be deleted, and its deployment ends", async () => {
    await deploy();
    await loseNode(cluster.store, "n1");
    await cluster.settle();
    await cluster.call("DELETE", "/v2/apps/a");
    await cluster.settle();
    for (const pod of cluster.pods("/a")) if (pod.spec.nodeName !== "n1" || isTerminal(pod)) await cluster.remove(pod);
    await cluster.until(
      "the deployment to end",
      async () => (await cluster.call("GET", "/v2/deployments")).body.length === 0,
    );
    assert.equal(cluster.pods("/a").length, 1, "what nobody can stop now is kept until it can be");
  });

  test("clients of the event stream hear of it", async () => {
    await deploy();
    const controller = new AbortController();
    const response = await cluster.respond("GET", "/v2/events?event_type=status_update_event", undefined, {
      signal: controller.signal,
    });
    const told: string[] = [];
    const reading = (async () => {
      let text = "";
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString("utf8");
        told.splice(0, told.length, ...[...text.matchAll(/"taskStatus":"(\w+)"/g)].map(([, state = ""]) => state));
      }
    })().catch((error: Error) => assert.equal(error.name, "AbortError"));
    await loseNode(cluster.store, "n1", false);
    await giveUp(cluster.store, "n1");
    await cluster.until("TASK_UNREACHABLE", () => told.includes("TASK_UNREACHABLE"));
    cluster.clock.forward(31_000);
    await cluster.nudge("/a");
    await cluster.until("TASK_GONE", () => told.includes("TASK_GONE"));
    await returnNode(cluster.store, "n1");
    await cluster.until("TASK_RUNNING", () => told.includes("TASK_RUNNING"));
    assert.deepEqual(told, ["TASK_UNREACHABLE", "TASK_GONE", "TASK_RUNNING"], "each once");
    controller.abort();
    await reading;
  });
});

describe("an instance that is moved", () => {
  test("gets its successor before it goes", async () => {
    const cluster = await Cluster.open();
    await cluster.addNode();
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
    await cluster.converge();
    const [pod] = cluster.live("/a");
    assert.ok(pod);
    await disrupt(cluster.store, pod, "Drain");
    await cluster.settle();
    assert.equal(cluster.live("/a").length, 2);
    const { tasks } = (await cluster.call("GET", "/v2/apps/a/tasks")).body;
    assert.equal(tasks[0].state, "TASK_RUNNING");
    await cluster.close();
  });
});

describe("an exclusive app", () => {
  const LABELS = { "styrmann.dev/exclusive": "true" };
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode("n1");
    await cluster.addNode("n2");
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1", labels: LABELS });
    await cluster.converge();
  });
  afterEach(() => cluster.close());
  const all = () => cluster.pods("/a");

  test("has an exclusive pod, and stops before it starts", async () => {
    assert.equal(all()[0]?.spec.exclusive, true);
    await cluster.call("PUT", "/v2/apps/a", { cmd: "sleep 2" });
    await cluster.settle();
    assert.equal(all().length, 1, "the old one is stopping, and nothing else is there");
    assert.ok(all()[0]?.metadata.deletionTimestamp);
    await cluster.converge();
    assert.equal(cluster.live("/a").length, 1);
  });

  test("is not started elsewhere while its node is only lost, also when it was told to stop", async () => {
    const [pod] = all();
    assert.ok(pod);
    await loseNode(cluster.store, "n1", false);
    await cluster.call("PUT", "/v2/apps/a", { cmd: "sleep 2" });
    await cluster.settle();
    assert.equal(all().length, 1, "it may still run there");
    await giveUp(cluster.store, "n1");
    await cluster.settle();
    assert.equal(all().length, 2, "its agent has stopped it by now");
  });

  test("one that was not exclusive when its node was lost holds the place: nobody has stopped it", async () => {
    await cluster.call("POST", "/v2/apps", { id: "late", cmd: "sleep 1" });
    await cluster.converge();
    const [pod] = cluster.live("/late");
    const nodeName = pod?.spec.nodeName ?? "";
    await loseNode(cluster.store, nodeName, false);
    const upgradeStrategy = { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
    const changed = await cluster.call("PUT", "/v2/apps/late", { labels: LABELS, upgradeStrategy });
    assert.equal(changed.status, 200, changed.text);
    await giveUp(cluster.store, nodeName);
    await cluster.settle();
    const exclusive = () => cluster.live("/late").filter(({ spec }) => spec.exclusive === true);
    assert.deepEqual(exclusive(), []);
    await returnNode(cluster.store, nodeName);
    await cluster.converge();
    assert.equal(exclusive().length, 1);
  });

  test("is not started elsewhere while it is drained, before it has stopped", async () => {
    const [pod] = all();
    assert.ok(pod);
    await disrupt(cluster.store, pod, "Drain");
    await cluster.settle();
    assert.equal(all().length, 1);
  });

  test("may have one instance, and no capacity above or below", async () => {
    const many = await cluster.call("POST", "/v2/apps", { id: "b", cmd: "ls -l", instances: 2, labels: LABELS });
    assert.equal(many.status, 422);
    assert.match(many.text, /Exclusive app may only have one instance/);
    const over = await cluster.call("POST", "/v2/apps", {
      id: "b",
      cmd: "ls -l",
      labels: LABELS,
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
    });
    assert.match(over.text, /minimumHealthCapacity.*got 1, expected 0\.0: an exclusive app stops before it starts/s);
    const vague = await cluster.call("POST", "/v2/apps", {
      id: "b",
      cmd: "ls -l",
      labels: { "styrmann.dev/exclusive": "yes" },
    });
    assert.equal(vague.status, 422);
    assert.match(vague.text, /expected \\"true\\" or \\"false\\"/);
  });
});
