import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

const LOCKED =
  "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";

describe("a deployment", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode();
  });
  afterEach(() => cluster.close());

  const versionsRunning = () => new Set(cluster.live().map((pod) => pod.spec.containers[0]?.command?.[2]));

  test("holds its apps: another change is 409 and names it, unless forced", async () => {
    const created = await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
    const id = created.headers.get("Marathon-Deployment-Id");
    const refused = await cluster.call("PUT", "/v2/apps/a", { instances: 2 });
    assert.equal(refused.status, 409);
    assert.deepEqual(refused.body, { message: LOCKED, deployments: [{ id }] });
    const forced = await cluster.call("PUT", "/v2/apps/a?force=True", { instances: 2 });
    assert.equal(forced.status, 200);
    const running = (await cluster.call("GET", "/v2/deployments")).body;
    assert.deepEqual(
      running.map((one: { id: string }) => one.id),
      [forced.body.deploymentId],
    );
    await cluster.converge();
    assert.equal(cluster.live().length, 2);
  });

  test("of another app is not in the way", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
    assert.equal((await cluster.call("POST", "/v2/apps", { id: "b", cmd: "sleep 1" })).status, 201);
  });

  test("is refused while a hundred others run, unless it takes the place of one of them", async () => {
    for (let n = 0; n < 100; n++) {
      assert.equal((await cluster.call("POST", "/v2/apps", { id: `a${n}`, cmd: "sleep 1" })).status, 201, `a${n}`);
    }
    const refused = await cluster.call("POST", "/v2/apps", { id: "one-too-many", cmd: "sleep 1" });
    assert.equal(refused.status, 403);
    assert.match(refused.body.message, /^Max number \(100\) of running deployments is achieved\./);
    assert.equal((await cluster.call("GET", "/v2/apps/one-too-many")).status, 404);
    assert.equal((await cluster.call("PUT", "/v2/apps/a7?force=true", { instances: 2 })).status, 200);
    assert.equal((await cluster.call("GET", "/v2/deployments")).body.length, 100);
    await cluster.call("DELETE", "/v2/apps/a7?force=true");
    await cluster.converge();
    assert.equal((await cluster.call("POST", "/v2/apps", { id: "one-too-many", cmd: "sleep 1" })).status, 201);
  });

  test("shows its steps as Marathon does", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
    await cluster.settle();
    const [deployment] = (await cluster.call("GET", "/v2/deployments")).body;
    assert.deepEqual(Object.keys(deployment).sort(), [
      "affectedApps",
      "affectedPods",
      "currentActions",
      "currentStep",
      "id",
      "steps",
      "totalSteps",
      "version",
    ]);
    assert.deepEqual(deployment.steps, [
      { actions: [{ action: "StartApplication", app: "/a" }] },
      { actions: [{ action: "ScaleApplication", app: "/a" }] },
    ]);
    assert.deepEqual([deployment.currentStep, deployment.totalSteps], [2, 2]);
    assert.deepEqual(deployment.currentActions, [{ action: "ScaleApplication", app: "/a", readinessCheckResults: [] }]);
  });

  test("rolls over without going below its floor", async () => {
    const upgradeStrategy = { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "old", instances: 4, upgradeStrategy });
    await cluster.converge();
    await cluster.call("PUT", "/v2/apps/a", { cmd: "new" });
    let least = 4;
    for (let round = 0; round < 20 && (await cluster.call("GET", "/v2/deployments")).body.length > 0; round++) {
      await cluster.settle();
      least = Math.min(least, cluster.live().filter(({ status }) => status.phase === "Running").length);
      assert.ok(cluster.pods().length <= 4, "never more than its ceiling");
      await cluster.obey();
    }
    assert.equal(least, 2, "half of them may go at once");
    assert.deepEqual(versionsRunning(), new Set(["new"]));
    assert.equal(cluster.live().length, 4);
  });

  test("waits for readiness checks, and takes no old instance before", async () => {
    const portDefinitions = [{ port: 0, name: "http-api" }];
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "old", portDefinitions, readinessChecks: [{}] });
    await cluster.converge();
    await cluster.call("PUT", "/v2/apps/a", { cmd: "new" });
    await cluster.settle();
    const fresh = cluster.live().find((pod) => pod.status.phase === "Pending");
    assert.ok(fresh);
    await cluster.run(fresh, [{ alive: false, consecutiveFailures: 1 }]);
    await cluster.settle();
    assert.equal(cluster.live().length, 2, "the old one stays while the new one is not ready");
    const [deployment] = (await cluster.call("GET", "/v2/deployments")).body;
    assert.equal(deployment.currentActions[0].readinessCheckResults[0].name, "readinessCheck");
    await cluster.run(fresh, [{ alive: true, consecutiveFailures: 0 }]);
    await cluster.converge();
    assert.deepEqual(versionsRunning(), new Set(["new"]));
  });

  test("of scaling keeps the instances that run", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1", instances: 2 });
    await cluster.converge();
    const before = cluster.live().map(({ metadata }) => metadata.uid);
    await cluster.call("PUT", "/v2/apps/a", { instances: 3 });
    await cluster.converge();
    const after = cluster.live().map(({ metadata }) => metadata.uid);
    assert.equal(after.length, 3);
    for (const uid of before) assert.ok(after.includes(uid));
    const { app } = (await cluster.call("GET", "/v2/apps/a")).body;
    assert.equal(app.versionInfo.lastScalingAt, app.version);
    assert.notEqual(app.versionInfo.lastConfigChangeAt, app.version);
  });

  test("of a restart replaces every instance", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1", instances: 2 });
    await cluster.converge();
    const before = new Set(cluster.live().map(({ metadata }) => metadata.uid));
    assert.equal((await cluster.call("POST", "/v2/apps/a/restart")).status, 200);
    await cluster.converge();
    assert.equal(cluster.live().length, 2);
    assert.ok(cluster.live().every(({ metadata }) => !before.has(metadata.uid)));
  });

  test("of nothing new ends before it begins", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
    await cluster.converge();
    const same = await cluster.call("PUT", "/v2/apps/a", { cmd: "sleep 1" });
    assert.equal(same.status, 200);
    assert.deepEqual((await cluster.call("GET", "/v2/deployments")).body, []);
    assert.equal((await cluster.call("GET", "/v2/apps/a/versions")).body.versions.length, 1);
  });

  test("is taken back by DELETE, which is a deployment of its own", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "old" });
    await cluster.converge();
    const { deploymentId } = (await cluster.call("PUT", "/v2/apps/a", { cmd: "new" })).body;
    await cluster.settle();
    const back = await cluster.call("DELETE", `/v2/deployments/${deploymentId}`);
    assert.equal(back.status, 200);
    assert.notEqual(back.body.deploymentId, deploymentId);
    await cluster.converge();
    assert.deepEqual(versionsRunning(), new Set(["old"]));
    const gone = await cluster.call("DELETE", `/v2/deployments/${deploymentId}`);
    assert.equal(gone.status, 404);
    assert.deepEqual(gone.body, { message: `DeploymentPlan ${deploymentId} does not exist` });
  });

  test("of a new app that is taken back takes the app away", async () => {
    const created = await cluster.call("POST", "/v2/apps", { id: "a", cmd: "old" });
    await cluster.call("DELETE", `/v2/deployments/${created.headers.get("Marathon-Deployment-Id")}`);
    await cluster.converge();
    assert.equal((await cluster.call("GET", "/v2/apps/a")).status, 404);
  });

  test("is cancelled with force: 202, an empty body, and everything stays as it is", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "old", instances: 2 });
    await cluster.converge();
    const upgradeStrategy = { minimumHealthCapacity: 1, maximumOverCapacity: 0 };
    const { deploymentId } = (await cluster.call("PUT", "/v2/apps/a", { cmd: "new", upgradeStrategy })).body;
    await cluster.settle();
    const cancelled = await cluster.call("DELETE", `/v2/deployments/${deploymentId}?force=true`);
    assert.deepEqual([cancelled.status, cancelled.text], [202, ""]);
    for (let round = 0; round < 5; round++) await cluster.obey();
    assert.ok(versionsRunning().has("old"), "the old instances are not replaced any more");
    assert.equal(cluster.live().length, 2);
  });

  test("starts what others depend on first, and the others when that is healthy", async () => {
    await cluster.call("PUT", "/v2/apps", [
      { id: "/web", cmd: "web", dependencies: ["/db"] },
      { id: "/db", cmd: "db", healthChecks: [{ protocol: "TCP" }] },
    ]);
    await cluster.settle();
    assert.deepEqual([...versionsRunning()], ["db"]);
    const [db] = cluster.live();
    assert.ok(db);
    await cluster.run(db, []);
    await cluster.settle();
    assert.deepEqual([...versionsRunning()], ["db"], "running is not healthy");
    await cluster.run(db, [{ alive: true, consecutiveFailures: 0 }]);
    await cluster.until("the web app's pod", () => versionsRunning().has("web"));
  });

  test("goes on after the control plane has started again", async () => {
    const { MemoryJournal } = await import("../../../src/store/journals/memory.ts");
    const journal = new MemoryJournal();
    const first = await Cluster.open(journal);
    await first.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1", instances: 3 });
    await first.close();
    const second = await Cluster.open(journal, "another");
    try {
      await second.converge();
      assert.equal(second.live().length, 3);
    } finally {
      await second.close();
    }
  });
});
