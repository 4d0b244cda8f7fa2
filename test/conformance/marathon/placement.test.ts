/** Marathon's placement rules and reasons, with the real scheduler. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Scheduler } from "../../../src/scheduling/scheduler.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { Cluster } from "./cluster.ts";

describe("apps and the scheduler", () => {
  let cluster: Cluster;
  let scheduler: Scheduler;
  beforeEach(async () => {
    cluster = await Cluster.open();
    const { store, clock, random } = cluster;
    scheduler = new Scheduler({ store, clock, random, log: silentLog });
    scheduler.start();
    for (const [name, rack] of [
      ["n1", "a"],
      ["n2", "a"],
      ["n3", "b"],
    ] as const) {
      await cluster.addNode(name, { rack });
    }
  });
  afterEach(async () => {
    await scheduler.stop();
    await cluster.close();
  });

  const nodesOf = (id: string) => cluster.pods(id).flatMap(({ spec }) => spec.nodeName ?? []);
  const reasonsOf = async (id: string) => {
    const { queue } = (await cluster.call("GET", "/v2/queue")).body;
    const entry = queue.find(({ app }: { app: { id: string } }) => app.id === id);
    const all: { reason: string; declined: number }[] = entry?.processedOffersSummary.rejectSummaryLastOffers ?? [];
    return Object.fromEntries(
      all.filter(({ declined }) => declined > 0).map(({ reason, declined }) => [reason, declined]),
    );
  };

  async function create(app: { id: string; [field: string]: unknown }, bound: number): Promise<void> {
    const { status, text } = await cluster.call("POST", "/v2/apps", { cmd: "sleep 1", cpus: 0.1, mem: 10, ...app });
    assert.equal(status, 201, text);
    await cluster.until(`${bound} instances of ${app.id} with a node`, () => nodesOf(`/${app.id}`).length >= bound);
  }

  test("UNIQUE puts each instance on a node of its own, and says so of the one too many", async () => {
    await create({ id: "u", instances: 4, constraints: [["hostname", "UNIQUE"]] }, 3);
    assert.deepEqual(nodesOf("/u").toSorted(), ["n1", "n2", "n3"]);
    await cluster.until("the reason", async () => (await reasonsOf("/u")).UnfulfilledConstraint === 3);
  });

  test("GROUP_BY spreads over the values of an attribute, LIKE and CLUSTER pick among them", async () => {
    await create({ id: "g", instances: 4, constraints: [["rack", "GROUP_BY", "2"]] }, 4);
    assert.equal(nodesOf("/g").filter((name) => name === "n3").length, 2);
    await create({ id: "l", instances: 2, constraints: [["hostname", "LIKE", "n[12]"]] }, 2);
    assert.ok(!nodesOf("/l").includes("n3"));
    await create({ id: "c", instances: 2, constraints: [["rack", "CLUSTER", "b"]] }, 2);
    assert.deepEqual(nodesOf("/c"), ["n3", "n3"]);
    await create({ id: "m", instances: 2, constraints: [["rack", "MAX_PER", "1"]] }, 2);
    assert.equal(nodesOf("/m").filter((name) => name === "n3").length, 1);
  });

  test("dynamic ports are drawn on the node and shown with the task", async () => {
    await create({ id: "p", portDefinitions: [{ port: 0 }, { port: 0 }] }, 1);
    const [task] = (await cluster.call("GET", "/v2/apps/p/tasks")).body.tasks;
    assert.equal(task.ports.length, 2);
    for (const port of task.ports) assert.ok(port >= 31000 && port <= 32000);
  });

  for (const [what, app, reason] of [
    ["memory", { mem: 100_000 }, "InsufficientMemory"],
    ["CPU", { cpus: 64 }, "InsufficientCpus"],
    ["disk", { disk: 10_000_000 }, "InsufficientDisk"],
    ["a role that no node has", { acceptedResourceRoles: ["slave_public"] }, "UnfulfilledRole"],
    ["an attribute that no node has", { constraints: [["gpu", "IS", "yes"]] }, "UnfulfilledConstraint"],
  ] as const) {
    test(`an app that asks for too much or the wrong ${what} waits, and the queue says ${reason}`, async () => {
      await create({ id: "w", ...app }, 0);
      await cluster.until("the reason", async () => (await reasonsOf("/w"))[reason] === 3);
    });
  }
});
