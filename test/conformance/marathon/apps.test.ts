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
    assert.equal(created.body.id, "/basic-0");
    assert.deepEqual(created.body.deployments, [{ id: created.headers.get("Marathon-Deployment-Id") }]);
    assert.deepEqual(created.body.networks, [{ mode: "container/bridge" }]);
    assert.deepEqual(created.body.container.portMappings, [
      { containerPort: 8080, hostPort: 0, servicePort: 9000, protocol: "tcp" },
    ]);
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
    assert.deepEqual(task.servicePorts, [9000]);
    assert.equal(task.ports.length, 1);
  });
});
