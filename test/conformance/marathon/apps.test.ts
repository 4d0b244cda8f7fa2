import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

const BASIC = {
  id: "basic-0",
  cmd: "python3 -m http.server 8080",
  cpus: 0.5,
  mem: 128.0,
  instances: 2,
  container: {
    type: "DOCKER",
    docker: {
      image: "python:3",
      network: "BRIDGE",
      portMappings: [{ containerPort: 8080, hostPort: 0, servicePort: 9000, protocol: "tcp" }],
    },
  },
};

/** Every key that Marathon 1.11 has in an app's answer; common clients raise an error for any other. */
const APP_KEYS = new Set(
  `acceptedResourceRoles args backoffFactor backoffSeconds check cmd constraints container cpus dependencies deployments
  disk env executor executorResources fetch gpus healthChecks id instances killSelection labels lastTaskFailure
  maxLaunchDelaySeconds mem networks portDefinitions readinessCheckResults readinessChecks requirePorts residency
  resourceLimits role secrets taskKillGracePeriodSeconds taskStats tasks tasksHealthy tasksRunning tasksStaged
  tasksUnhealthy tty unreachableStrategy upgradeStrategy user version versionInfo`.split(/\s+/),
);

const TASK_KEYS = new Set(
  `appId id host ports servicePorts ipAddresses slaveId state stagedAt startedAt version healthCheckResults checkResult
  localVolumes region zone role`.split(/\s+/),
);

describe("an app", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode();
  });
  afterEach(() => cluster.close());

  test("is created with 201, its id as location, and a deployment that is under way", async () => {
    const created = await cluster.call("POST", "/v2/apps", BASIC);
    assert.equal(created.status, 201, created.text);
    assert.equal(created.headers.get("Location"), "/basic-0");
    assert.equal(created.headers.get("X-Marathon-Leader"), "http://marathon.test:8080");
    assert.equal(created.body.id, "/basic-0");
    assert.deepEqual(created.body.deployments, [{ id: created.headers.get("Marathon-Deployment-Id") }]);
    assert.deepEqual(created.body.networks, [{ mode: "container/bridge" }]);
    assert.deepEqual(created.body.container.portMappings, [
      { containerPort: 8080, hostPort: 0, servicePort: 9000, protocol: "tcp" },
    ]);
    for (const counter of ["tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy"]) {
      assert.equal(created.body[counter], 0);
    }
  });

  test("becomes one pod per instance, with a name of its own and its user's name beside it", async () => {
    await cluster.call("POST", "/v2/apps", BASIC);
    await cluster.until("two pods", () => cluster.pods("/basic-0").length === 2);
    const [pod] = cluster.pods("/basic-0");
    assert.match(pod?.metadata.name ?? "", /^basic-0-[a-z0-9]{10}$/);
    assert.equal(pod?.metadata.annotations?.["styrmann.dev/dialect"], "marathon");
    assert.match(
      pod?.metadata.annotations?.["styrmann.dev/instance"] ?? "",
      /^basic-0\.instance-[0-9a-f-]{36}\._app\.1$/,
    );
    assert.deepEqual(pod?.spec.containers[0]?.command, ["/bin/sh", "-c", "python3 -m http.server 8080"]);
    assert.equal(pod?.spec.restartPolicy, "Never");
  });

  test("shows its tasks with host, ports and state once a node runs them, and its deployment ends", async () => {
    await cluster.call("POST", "/v2/apps", BASIC);
    await cluster.converge();
    const { body } = await cluster.call("GET", "/v2/apps/basic-0");
    assert.equal(body.app.tasksRunning, 2);
    assert.deepEqual(body.app.deployments, []);
    assert.equal(body.app.tasks.length, 2);
    const [task] = body.app.tasks;
    assert.equal(task.state, "TASK_RUNNING");
    assert.equal(task.host, "10.0.0.1");
    assert.equal(task.slaveId, "n1");
    assert.equal(task.appId, "/basic-0");
    assert.equal(task.version, body.app.version);
    assert.deepEqual(task.servicePorts, [9000]);
    assert.deepEqual(task.ipAddresses, [{ ipAddress: "172.20.0.5", protocol: "IPv4" }]);
    assert.ok(task.ports[0] >= 31000);
    assert.match(task.startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test("nothing of a task seems to come before it was staged, though containers' times have whole seconds", async () => {
    const { clock } = cluster;
    clock.forward(1500 - (clock.now() % 1000));
    const started = clock.now();
    await cluster.call("POST", "/v2/apps", { ...BASIC, healthChecks: [{ protocol: "HTTP" }] });
    await cluster.converge();
    const [task] = (await cluster.call("GET", "/v2/apps/basic-0")).body.app.tasks;
    assert.ok(Date.parse(task.stagedAt) >= started);
    assert.ok(task.startedAt >= task.stagedAt, `${task.startedAt} is before ${task.stagedAt}`);
    assert.ok(task.healthCheckResults[0].firstSuccess >= task.stagedAt);
    const [pod] = cluster.live();
    assert.ok(pod);
    await cluster.end(pod, 1);
    await cluster.settle();
    const { lastTaskFailure } = (await cluster.call("GET", "/v2/apps/basic-0")).body.app;
    assert.ok(Date.parse(lastTaskFailure.timestamp) >= started, `it failed at ${lastTaskFailure.timestamp}`);
  });

  test("answers with Marathon's keys and no other", async () => {
    await cluster.call("POST", "/v2/apps", { ...BASIC, healthChecks: [{ protocol: "HTTP" }], check: { tcp: {} } });
    await cluster.converge();
    const [pod] = cluster.live();
    assert.ok(pod);
    await cluster.end(pod, 1);
    await cluster.settle();
    const { app } = (await cluster.call("GET", "/v2/apps/basic-0?embed=app.taskStats&embed=app.readiness")).body;
    assert.ok(app.lastTaskFailure, "there was a failure to show");
    for (const key of Object.keys(app)) assert.ok(APP_KEYS.has(key), `"${key}" is not a key of an app`);
    for (const key of Object.keys(app.tasks[0])) assert.ok(TASK_KEYS.has(key), `"${key}" is not a key of a task`);
    assert.deepEqual(Object.keys(app.tasks[0].healthCheckResults[0]).sort(), [
      "alive",
      "consecutiveFailures",
      "firstSuccess",
      "instanceId",
      "lastSuccess",
    ]);
  });

  test("counts what is healthy and what is not", async () => {
    await cluster.call("POST", "/v2/apps", {
      id: "h",
      cmd: "serve",
      instances: 2,
      healthChecks: [{ protocol: "TCP" }],
    });
    await cluster.settle();
    const [one, two] = cluster.live();
    assert.ok(one && two);
    await cluster.run(one, [{ alive: true, consecutiveFailures: 0 }]);
    await cluster.run(two, [{ alive: false, consecutiveFailures: 1, lastFailureCause: "refused" }]);
    const { app } = (await cluster.call("GET", "/v2/apps/h")).body;
    assert.deepEqual([app.tasksHealthy, app.tasksUnhealthy, app.tasksRunning], [1, 1, 2]);
    assert.equal(app.deployments.length, 1, "a deployment waits until all are healthy");
  });

  test("with a taken id is 409, and nothing changes", async () => {
    await cluster.call("POST", "/v2/apps", BASIC);
    const again = await cluster.call("POST", "/v2/apps", { ...BASIC, instances: 7 });
    assert.equal(again.status, 409);
    assert.deepEqual(again.body, { message: "An app with id [/basic-0] already exists." });
    assert.equal((await cluster.call("GET", "/v2/apps/basic-0")).body.app.instances, 2);
  });

  test("that is not there is 404 in Marathon's words, for every method", async () => {
    for (const [method, path, body] of [
      ["GET", "/v2/apps/nope"],
      ["DELETE", "/v2/apps/nope"],
      ["PATCH", "/v2/apps/nope", { mem: 1 }],
      ["POST", "/v2/apps/nope/restart"],
      ["GET", "/v2/apps/nope/tasks"],
      ["GET", "/v2/apps/nope/versions"],
    ] as const) {
      const { status, body: answer } = await cluster.call(method, path, body);
      assert.deepEqual([method, status, answer], [method, 404, { message: "App '/nope' does not exist" }]);
    }
  });

  test("goes on DELETE at once for clients, and is forgotten when its tasks have stopped", async () => {
    await cluster.call("POST", "/v2/apps", BASIC);
    await cluster.converge();
    const deleted = await cluster.call("DELETE", "/v2/apps/basic-0");
    assert.equal(deleted.status, 200);
    assert.deepEqual(Object.keys(deleted.body).sort(), ["deploymentId", "version"]);
    assert.equal((await cluster.call("GET", "/v2/apps/basic-0")).status, 404);
    await cluster.until("its pods to be asked to go", () => cluster.live().length === 0 && cluster.pods().length === 2);
    assert.equal((await cluster.call("GET", "/v2/deployments")).body.length, 1);
    await cluster.converge();
    assert.equal(cluster.pods().length, 0);
    assert.equal((await cluster.call("POST", "/v2/apps", BASIC)).status, 201, "its id is free again");
  });

  test("can be made again while its last tasks stop", async () => {
    await cluster.call("POST", "/v2/apps", BASIC);
    await cluster.converge();
    await cluster.call("DELETE", "/v2/apps/basic-0");
    await cluster.settle();
    assert.equal((await cluster.call("POST", "/v2/apps", BASIC)).status, 409, "its deletion still holds it");
    assert.equal((await cluster.call("POST", "/v2/apps?force=True", BASIC)).status, 201);
    await cluster.converge();
    assert.equal(cluster.live().length, 2);
    assert.equal((await cluster.call("GET", "/v2/apps/basic-0/versions")).body.versions.length, 1);
  });

  test("PUT changes what is named, and with partialUpdate=false replaces all", async () => {
    await cluster.call("POST", "/v2/apps", { id: "/a", cmd: "sleep 1", mem: 64, env: { A: "1" } });
    await cluster.converge();
    const partial = await cluster.call("PUT", "/v2/apps//a", { instances: 3 });
    assert.equal(partial.status, 200, "doubled slashes are one");
    assert.equal(partial.headers.get("Marathon-Deployment-Id"), partial.body.deploymentId);
    await cluster.converge();
    assert.equal((await cluster.call("GET", "/v2/apps//a")).body.app.mem, 64);
    await cluster.call("PUT", "/v2/apps/a?partialUpdate=False", { cmd: "sleep 2" });
    const { app } = (await cluster.call("GET", "/v2/apps/a")).body;
    assert.deepEqual([app.mem, app.instances, app.env, app.cmd], [128, 1, undefined, "sleep 2"]);
  });

  test("PUT of an id that is not there creates it with 201", async () => {
    const created = await cluster.call("PUT", "/v2/apps/new/one", { cmd: "sleep 1" });
    assert.equal(created.status, 201, created.text);
    assert.equal((await cluster.call("GET", "/v2/apps/new/one")).status, 200);
  });

  test("several are changed by one deployment, which one body of an array asks for", async () => {
    const body = [
      { id: "/t/a", cmd: "sleep 1", dependencies: ["/t/b"] },
      { id: "/t/b", cmd: "sleep 2" },
    ];
    const changed = await cluster.call("PUT", "/v2/apps", body);
    assert.equal(changed.status, 200, changed.text);
    const [deployment] = (await cluster.call("GET", "/v2/deployments")).body;
    assert.deepEqual(deployment.affectedApps, ["/t/a", "/t/b"]);
    await cluster.converge();
    assert.equal((await cluster.call("GET", "/v2/apps")).body.apps.length, 2);
    assert.equal((await cluster.call("PATCH", "/v2/apps", [{ id: "/t/c", cmd: "ls" }])).status, 404);
  });

  test("lists are filtered by id, cmd and label, and show tasks when asked", async () => {
    await cluster.call("POST", "/v2/apps", { id: "/shop/web", cmd: "run WEB", labels: { tier: "front" } });
    await cluster.call("POST", "/v2/apps", { id: "/shop/db", cmd: "run db" });
    await cluster.converge();
    const ids = async (query: string) =>
      (await cluster.call("GET", `/v2/apps?${query}`)).body.apps.map(({ id }: { id: string }) => id);
    assert.deepEqual(await ids("cmd=web"), ["/shop/web"]);
    assert.deepEqual(await ids("id=SHOP"), ["/shop/db", "/shop/web"]);
    assert.deepEqual(await ids("label=tier%3D%3Dfront"), ["/shop/web"]);
    const bad = await cluster.call("GET", "/v2/apps?label=((");
    assert.equal(bad.status, 422);
    const { apps } = (await cluster.call("GET", "/v2/apps?embed=apps.tasks")).body;
    assert.equal(apps[0].tasks.length, 1);
    assert.ok("healthChecks" in apps[0], "load balancer generators read the key");
    const group = (await cluster.call("GET", "/v2/apps/shop/*")).body;
    assert.equal(group["*"].length, 2);
  });

  test("a service port that is left open is unique and stays", async () => {
    const port = async (id: string) => (await cluster.call("GET", `/v2/apps/${id}`)).body.app.portDefinitions[0].port;
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
    await cluster.call("POST", "/v2/apps", { id: "b", cmd: "sleep 1" });
    assert.deepEqual([await port("a"), await port("b")], [10000, 10001]);
    await cluster.converge();
    await cluster.call("PUT", "/v2/apps/b?partialUpdate=false", { cmd: "sleep 2" });
    assert.equal(await port("b"), 10001);
  });

  test("is a row of styr ps under its user's name", async () => {
    await cluster.call("POST", "/v2/apps", BASIC);
    const [row] = cluster.workloads();
    assert.deepEqual(
      [row?.dialect, row?.kind, row?.name, row?.desired, row?.what],
      ["marathon", "App", "/basic-0", 2, "python:3"],
    );
  });
});
