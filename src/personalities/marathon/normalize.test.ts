import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError } from "../../model/errors.ts";
import { normalizeApp } from "./normalize.ts";
import { checkShape } from "./read-body.ts";
import { appUpdateSchema } from "./schema.ts";
import { bodyOf } from "./test-app.ts";

describe("normalizing an app", () => {
  test("fills in Marathon's defaults", () => {
    assert.deepEqual(bodyOf({ cmd: "sleep 1" }), {
      id: "/shop/cart",
      backoffFactor: 1.15,
      backoffSeconds: 1,
      cmd: "sleep 1",
      cpus: 1,
      disk: 0,
      executor: "",
      gpus: 0,
      healthChecks: [],
      instances: 1,
      killSelection: "YOUNGEST_FIRST",
      labels: {},
      maxLaunchDelaySeconds: 300,
      mem: 128,
      networks: [{ mode: "host" }],
      portDefinitions: [{ port: 0, protocol: "tcp", name: "default" }],
      requirePorts: false,
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    });
  });

  const image = { type: "DOCKER", docker: { image: "nginx" } };
  const mapping = { containerPort: 80, hostPort: 0, servicePort: 0, protocol: "tcp" };
  const legacy = (network: string, more: object = {}) => ({
    container: { type: "DOCKER", docker: { image: "nginx", network, ...more } },
  });
  const cases: readonly (readonly [string, object, object])[] = [
    [
      "uris become fetch",
      { cmd: "ls", uris: ["http://a/b"] },
      { fetch: [{ uri: "http://a/b", extract: true, executable: false, cache: false }] },
    ],
    [
      "ports become portDefinitions",
      { cmd: "ls", ports: [8080, 0] },
      {
        portDefinitions: [
          { port: 8080, protocol: "tcp" },
          { port: 0, protocol: "tcp" },
        ],
      },
    ],
    [
      "what is resident waits for its node unless it says otherwise",
      { cmd: "ls", residency: {} },
      { unreachableStrategy: "disabled" },
    ],
    ["an empty list of portDefinitions means none", { cmd: "ls", portDefinitions: [] }, { portDefinitions: [] }],
    ["docker.network HOST is host networking", legacy("HOST"), { networks: [{ mode: "host" }] }],
    ["docker.network BRIDGE is container/bridge", legacy("BRIDGE"), { networks: [{ mode: "container/bridge" }] }],
    [
      "docker.portMappings move to the container",
      legacy("BRIDGE", { portMappings: [{ containerPort: 80 }] }),
      {
        container: {
          type: "DOCKER",
          docker: { image: "nginx", forcePullImage: false, privileged: false, parameters: [] },
          volumes: [],
          portMappings: [mapping],
        },
      },
    ],
    [
      "ipAddress is a container network with its ports",
      {
        ...legacy("USER"),
        ipAddress: { networkName: "dcos", discovery: { ports: [{ number: 7777, name: "p", protocol: "udp" }] } },
      },
      { networks: [{ mode: "container", name: "dcos" }] },
    ],
    [
      "a network without a mode is a container network",
      { container: image, networks: [{ name: "x" }] },
      { networks: [{ mode: "container", name: "x" }] },
    ],
    [
      "requirePorts means nothing off the host network",
      { ...legacy("BRIDGE"), requirePorts: true },
      { requirePorts: false },
    ],
    [
      "operators are written in capitals",
      { cmd: "ls", constraints: [["hostname", "unique"]] },
      { constraints: [["hostname", "UNIQUE"]] },
    ],
    [
      "single instance apps never run two at once",
      { cmd: "ls", labels: { MARATHON_SINGLE_INSTANCE_APP: "true" } },
      { upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 } },
    ],
    ["what is null is not given", { cmd: "ls", args: undefined }, { cmd: "ls" }],
    [
      "dependencies are meant within the app's group",
      { cmd: "ls", dependencies: ["db", "/x"] },
      { dependencies: ["/shop/db", "/x"] },
    ],
  ];
  for (const [why, given, wanted] of cases) {
    test(why, () => {
      const body = bodyOf(given) as unknown as Readonly<Record<string, unknown>>;
      for (const [key, value] of Object.entries(wanted)) assert.deepEqual(body[key], value);
    });
  }

  test("a bridge app without mappings has one, named default, with a dynamic port", () => {
    const { container } = bodyOf(legacy("BRIDGE"));
    assert.deepEqual(container?.portMappings, [{ ...mapping, containerPort: 0, name: "default" }]);
  });

  test("a health check without a port asks the first", () => {
    const [check] = bodyOf({ cmd: "ls", healthChecks: [{}] }).healthChecks;
    assert.equal(check?.portIndex, 0);
    assert.equal(check?.protocol, "HTTP");
    assert.equal(check?.delaySeconds, undefined, "only Mesos' checks have a delay");
  });

  const base = bodyOf({ cmd: "sleep 1", mem: 64, env: { A: "1" } });
  const change = (json: object) => normalizeApp("/shop/cart", checkShape(appUpdateSchema, json), base);

  test("a partial update keeps what it does not name, and replaces what it names", () => {
    const changed = change({ env: { B: "2" } });
    assert.equal(changed.mem, 64);
    assert.deepEqual(changed.env, { B: "2" });
  });

  test("args take cmd's place, and cmd that of args", () => {
    const withArgs = change({ args: ["sleep", "2"] });
    assert.equal(withArgs.cmd, undefined);
    const back = normalizeApp("/shop/cart", checkShape(appUpdateSchema, { cmd: "sleep 3" }), withArgs);
    assert.equal(back.args, undefined);
  });

  const conflicts: readonly (readonly [object, string])[] = [
    [
      { ...legacy("BRIDGE"), networks: [{ mode: "host" }] },
      "must not specify both container.docker.network and networks",
    ],
    [{ cmd: "ls", networks: [{ mode: "host" }], ipAddress: {} }, "must not specify both networks and ipAddress"],
    [{ cmd: "ls", ipAddress: {}, ports: [1] }, "cannot specify both an IP address and port"],
    [{ cmd: "ls", ports: [1], portDefinitions: [] }, "cannot specify both ports and port definitions"],
    [{ cmd: "ls", ports: [7, 7] }, "ports must be unique"],
    [
      { cmd: "ls", secrets: { a: { source: "/b" } } },
      "Feature secrets is not enabled. Enable with --enable_features secrets)",
    ],
    [{ cmd: "ls", gpus: 1 }, "Feature gpu_resources is not enabled. Enable with --enable_features gpu_resources)"],
    [{ cmd: "ls", executor: "/opt/x" }, "custom executors are not supported; only the command executor (//cmd) is"],
  ];
  for (const [given, message] of conflicts) {
    test(`refuses: ${message}`, () => {
      assert.throws(
        () => bodyOf(given),
        (error) => error instanceof ApiError && error.causes.some((cause) => cause.message === message),
      );
    });
  }
});
