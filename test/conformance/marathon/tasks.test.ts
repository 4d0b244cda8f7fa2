import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

describe("tasks", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode();
    await cluster.call("POST", "/v2/apps", { id: "/g/a", cmd: "sleep 1", instances: 3 });
    await cluster.call("POST", "/v2/apps", { id: "/g/b", cmd: "sleep 1" });
    await cluster.converge();
  });
  afterEach(() => cluster.close());

  const taskIds = async (path = "/v2/tasks"): Promise<string[]> =>
    (await cluster.call("GET", path)).body.tasks.map(({ id }: { id: string }) => id);

  test("are listed for all, for a group and for an app, by state", async () => {
    assert.equal((await taskIds()).length, 4);
    assert.equal((await taskIds("/v2/tasks?status=running")).length, 4);
    assert.equal((await taskIds("/v2/tasks?status[]=staging")).length, 0);
    assert.equal((await taskIds("/v2/apps/g/*/tasks")).length, 4);
    assert.equal((await taskIds("/v2/apps/g/a/tasks")).length, 3);
  });

  test("that are killed are replaced", async () => {
    const [victim = ""] = await taskIds("/v2/apps/g/a/tasks");
    const killed = await cluster.call("DELETE", `/v2/apps/g/a/tasks/${victim}`);
    assert.equal(killed.status, 200);
    assert.equal(killed.body.task.id, victim);
    await cluster.obey();
    await cluster.obey();
    const left = await taskIds("/v2/apps/g/a/tasks");
    assert.equal(left.length, 3);
    assert.ok(!left.includes(victim));
  });

  test("killed with scale=true are not replaced, and exactly they go", async () => {
    const [victim = "", ...others] = await taskIds("/v2/apps/g/a/tasks");
    const killed = await cluster.call("DELETE", `/v2/apps/g/a/tasks/${victim}?scale=True`);
    assert.deepEqual(Object.keys(killed.body).sort(), ["deploymentId", "version"]);
    await cluster.converge();
    assert.deepEqual(await taskIds("/v2/apps/g/a/tasks"), others);
    assert.equal((await cluster.call("GET", "/v2/apps/g/a")).body.app.instances, 2);
  });

  test("of several apps are killed by their ids", async () => {
    const [one = ""] = await taskIds("/v2/apps/g/a/tasks");
    const [two = ""] = await taskIds("/v2/apps/g/b/tasks");
    const gone = "x.instance-00000000-0000-0000-0000-000000000000._app.1";
    const killed = await cluster.call("POST", "/v2/tasks/delete", { ids: [one, two, gone] });
    assert.equal(killed.status, 200, killed.text);
    assert.equal(killed.body.tasks.length, 2);
    const scaled = await cluster.call("POST", "/v2/tasks/delete?scale=true", { ids: [one] });
    assert.ok(scaled.body.deploymentId);
  });

  test("of one host are killed together", async () => {
    const here = await cluster.call("DELETE", "/v2/apps/g/a/tasks?host=10.0.0.1");
    assert.equal(here.body.tasks.length, 3);
    const elsewhere = await cluster.call("DELETE", "/v2/apps/g/b/tasks?host=10.9.9.9");
    assert.deepEqual(elsewhere.body, { tasks: [] });
  });

  test("that cannot be meant are refused in Marathon's words", async () => {
    const both = await cluster.call("DELETE", "/v2/apps/g/a/tasks?scale=true&wipe=true");
    assert.deepEqual([both.status, both.body.message], [400, "You cannot use scale and wipe at the same time."]);
    const unknown = await cluster.call("DELETE", "/v2/apps/g/a/tasks/nope");
    assert.deepEqual([unknown.status, unknown.body.message], [404, "Task 'nope' does not exist"]);
    const odd = await cluster.call("POST", "/v2/tasks/delete", { ids: ["../x"] });
    assert.equal(odd.status, 400);
    assert.match(odd.body.message, /^Invalid task id '\.\.\/x'\. \[/);
  });

  test("have not begun while no node has taken them", async () => {
    await cluster.call("POST", "/v2/apps", { id: "/c", cmd: "sleep 1" });
    await cluster.settle();
    assert.deepEqual(await taskIds("/v2/apps/c/tasks"), []);
    const [pod] = cluster.pods("/c");
    assert.ok(pod);
    await cluster.bind(pod);
    const [task] = (await cluster.call("GET", "/v2/apps/c/tasks")).body.tasks;
    assert.equal(task.state, "TASK_STAGING");
    assert.equal((await cluster.call("GET", "/v2/apps/c")).body.app.tasksStaged, 1);
  });
});
