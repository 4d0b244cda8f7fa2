import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { App } from "./kinds.ts";
import { scalaDouble } from "./task-environment.ts";
import { definitionOf } from "./test-app.ts";
import { appHash, podNameFor, translateApp } from "./translate.ts";

function podOf(json: object) {
  const definition = definitionOf(json);
  const app: App = {
    apiVersion: "marathon/v2",
    kind: "App",
    metadata: {
      name: "shop_cart",
      namespace: "marathon",
      uid: "u1",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2020-01-01T00:00:00Z",
    },
    spec: { definition },
    status: {},
  };
  return translateApp(definition, { taskId: "shop_cart.instance-1._app.1", podName: "p", stagedAtMs: 0 }, app);
}

function containerOf(json: object) {
  const [container] = podOf(json).spec.containers;
  assert.ok(container);
  return container;
}

function envOf(json: object): ReadonlyMap<string, unknown> {
  return new Map((containerOf(json).env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
}

const BRIDGE = {
  container: {
    docker: { image: "nginx" },
    portMappings: [
      { containerPort: 80, hostPort: 0, name: "http" },
      { containerPort: 443, hostPort: 8443, protocol: "udp" },
    ],
  },
  networks: [{ mode: "container/bridge" }],
};

describe("an instance as a pod", () => {
  test("without a container the shell runs cmd on the host, to the letter", () => {
    const { driver, command, image } = containerOf({ cmd: "echo $PORT0 $$ $(date)" });
    assert.deepEqual([driver, image], ["process", undefined]);
    assert.deepEqual(command, ["/bin/sh", "-c", "echo $PORT0 $$ $(date)"]);
  });

  test("args of an image stay arguments of its entry point; without one they are the command", () => {
    assert.deepEqual(containerOf({ args: ["a"], container: { docker: { image: "x" } } }).args, ["a"]);
    assert.deepEqual(containerOf({ args: ["a", "b"] }).command, ["a", "b"]);
  });

  test("ports in bridge mode: dynamic, fixed, and with their names", () => {
    assert.deepEqual(containerOf(BRIDGE).ports, [
      { name: "http", protocol: "TCP", containerPort: 80, dynamicHostPort: true },
      { name: "port-1", protocol: "UDP", containerPort: 443, hostPort: 8443 },
    ]);
    assert.equal(podOf(BRIDGE).spec.hostNetwork, undefined);
  });

  test("ports on the host's network are drawn, or with requirePorts are the service port", () => {
    const drawn = containerOf({ cmd: "ls", portDefinitions: [{ port: 9000, name: "a" }] });
    assert.deepEqual(drawn.ports, [
      { name: "a", protocol: "TCP", containerPort: 0, dynamicHostPort: true, servicePort: 9000 },
    ]);
    const fixed = containerOf({ cmd: "ls", portDefinitions: [{ port: 9000 }], requirePorts: true });
    assert.deepEqual(fixed.ports, [
      { name: "port-0", protocol: "TCP", containerPort: 9000, hostPort: 9000, servicePort: 9000 },
    ]);
    assert.equal(podOf({ cmd: "ls" }).spec.hostNetwork, true);
  });

  test("a port for tcp and udp is drawn once for both, on the host's network and behind Docker", () => {
    const drawn = containerOf({ cmd: "ls", portDefinitions: [{ port: 9000, name: "a", protocol: "udp,tcp" }] });
    assert.deepEqual(drawn.ports, [
      { name: "a", protocol: "TCP", containerPort: 0, dynamicHostPort: true, servicePort: 9000 },
      {
        ...{ name: "a-udp", protocol: "UDP", containerPort: 0, dynamicHostPort: true, servicePort: 9000 },
        sharesHostPortOf: "a",
      },
    ]);
    const portMappings = [{ containerPort: 53, hostPort: 0, name: "dns", protocol: "udp,tcp" }];
    const { ports } = containerOf({ ...BRIDGE, container: { docker: { image: "x" }, portMappings } });
    assert.deepEqual(
      ports?.map(({ protocol, sharesHostPortOf }) => [protocol, sharesHostPortOf]),
      [
        ["TCP", undefined],
        ["UDP", "dns"],
      ],
    );
  });

  test("memory is request and limit, cpu only a share, unless resourceLimits says otherwise", () => {
    assert.deepEqual(containerOf({ cmd: "ls", cpus: 0.1, mem: 64, disk: 10 }).resources, {
      requests: { cpu: "100m", memory: "64Mi", "ephemeral-storage": "10Mi" },
      limits: { memory: "64Mi" },
    });
    const limits = { resourceLimits: { cpus: 2, mem: "unlimited" } };
    assert.deepEqual(containerOf({ cmd: "ls", ...limits }).resources?.limits, { cpu: "2" });
  });

  test("no limit is smaller than what Mesos would enforce", () => {
    assert.deepEqual(containerOf({ cmd: "ls", mem: 5 }).resources, {
      requests: { cpu: "1", memory: "5Mi" },
      limits: { memory: "32Mi" },
    });
  });

  test("Marathon's variables are there, and the user's own win", () => {
    const env = envOf({
      ...BRIDGE,
      env: { PORT: "1", MARATHON_APP_ID: "mine", A: "$(PORT0) $$" },
      labels: { "a.b": "c" },
    });
    assert.equal(env.get("MESOS_TASK_ID"), "shop_cart.instance-1._app.1");
    assert.equal(env.get("MARATHON_APP_ID"), "mine");
    assert.equal(env.get("MARATHON_APP_DOCKER_IMAGE"), "nginx");
    assert.equal(env.get("MARATHON_APP_RESOURCE_MEM"), "128.0");
    assert.equal(env.get("MARATHON_APP_LABELS"), "A_B");
    assert.equal(env.get("MARATHON_APP_LABEL_A_B"), "c");
    assert.deepEqual(env.get("HOST"), { fieldRef: { fieldPath: "status.hostIP" } });
    assert.deepEqual(env.get("PORT0"), { assignedPort: "http" });
    assert.equal(env.get("PORT1"), "8443");
    assert.equal(env.get("PORT_80"), "$(PORT0)");
    assert.equal(env.get("PORT_HTTP"), "$(PORT0)");
    assert.equal(env.get("PORTS"), "$(PORT0),$(PORT1)");
    assert.equal(env.get("PORT"), "1");
    assert.equal(env.get("A"), "$$(PORT0) $$$$", "a user's dollar is a dollar");
    assert.ok(![...env.keys()].some((name) => name.startsWith("STYR_")), "names of ours are there for need only");
  });

  test("a user's PORT0 is that variable alone: what else says the port says the task's", () => {
    const env = envOf({ ...BRIDGE, env: { PORT0: "9999" } });
    assert.equal(env.get("PORT0"), "9999");
    assert.deepEqual(env.get("STYR_PORT0"), { assignedPort: "http" });
    for (const name of ["PORT", "PORT_80", "PORT_HTTP"]) assert.equal(env.get(name), "$(STYR_PORT0)", name);
    assert.equal(env.get("PORTS"), "$(STYR_PORT0),$(PORT1)");
    const names = [...env.keys()];
    assert.ok(names.indexOf("STYR_PORT0") < names.indexOf("PORT"), "what is referred to comes first");
  });

  test("health checks of Marathon ask the host port, those of Mesos the container's own", () => {
    const checks = containerOf({
      ...BRIDGE,
      healthChecks: [
        {
          protocol: "HTTP",
          path: "/up",
          maxConsecutiveFailures: 2,
          gracePeriodSeconds: 7,
          intervalSeconds: 3,
          timeoutSeconds: 1,
        },
        { protocol: "MESOS_TCP", portIndex: 0, delaySeconds: 4 },
        { protocol: "COMMAND", command: { value: "test -e /ok" } },
      ],
    }).healthChecks;
    assert.deepEqual(checks?.[0], {
      httpGet: { path: "/up", port: "http", scheme: "HTTP" },
      assignedPort: "http",
      intervalSeconds: 3,
      timeoutSeconds: 1,
      graceSeconds: 7,
      killAfterFailures: 2,
    });
    assert.deepEqual(checks?.[1]?.tcpSocket, { port: "http" });
    assert.equal(checks?.[1]?.assignedPort, undefined);
    assert.equal(checks?.[1]?.delaySeconds, 4);
    assert.deepEqual(checks?.[2]?.exec, { command: ["/bin/sh", "-c", "test -e /ok"] });
  });

  test("readiness checks are asked after the health checks, and never kill", () => {
    const checks = containerOf({
      ...BRIDGE,
      healthChecks: [{}],
      readinessChecks: [{ portName: "http", path: "/r" }],
    }).healthChecks;
    assert.equal(checks?.length, 2);
    assert.deepEqual(checks?.[1]?.httpGet, { path: "/r", port: "http", scheme: "HTTP" });
    assert.equal(checks?.[1]?.killAfterFailures, 0);
  });

  test("constraints keep their wording, and count the app's own instances", () => {
    const pods = {
      by: "labels",
      selector: { matchLabels: { "styrmann.dev/app-hash": appHash("/shop/cart") } },
      namespaces: ["marathon"],
    };
    const constraints = [
      ["hostname", "UNIQUE"],
      ["rack", "GROUP_BY", "3"],
      ["rack", "CLUSTER", "a"],
      ["v", "IS", "1.0"],
    ];
    const topologyKey = "kubernetes.io/hostname";
    assert.deepEqual(
      podOf({ cmd: "ls", instances: 4, constraints, acceptedResourceRoles: ["slave_public"] }).spec.constraints,
      [
        { type: "atMost", topologyKey, count: 1, pods, from: '["hostname","UNIQUE"]' },
        { type: "spread", topologyKey: "rack", pods, groups: 3, total: 4, from: '["rack","GROUP_BY","3"]' },
        { type: "in", key: "rack", values: ["a"], from: '["rack","CLUSTER","a"]' },
        { type: "in", key: "v", values: ["1.0", "1"], from: '["v","IS","1.0"]' },
        {
          type: "in",
          key: "styrmann.dev/role",
          values: ["slave_public"],
          from: 'acceptedResourceRoles ["slave_public"]',
        },
      ],
    );
  });

  test("docker settings: pull policy, parameters, privileges, volumes and a sandbox", () => {
    const spec = podOf({
      container: {
        docker: { image: "x", forcePullImage: true, privileged: true, parameters: [{ key: "hostname", value: "h" }] },
        volumes: [
          { containerPath: "/data", hostPath: "/srv", mode: "RO" },
          { containerPath: "rel", hostPath: "/opt" },
        ],
      },
    }).spec;
    const [container] = spec.containers;
    assert.equal(container?.imagePullPolicy, "Always");
    assert.deepEqual(container?.securityContext, { privileged: true });
    assert.deepEqual(container?.docker?.parameters, [
      { key: "hostname", value: "h" },
      { key: "label", value: "MESOS_TASK_ID=shop_cart.instance-1._app.1" },
    ]);
    assert.deepEqual(container?.volumeMounts, [
      { name: "sandbox", mountPath: "/mnt/mesos/sandbox" },
      { name: "volume-0", mountPath: "/data", readOnly: true },
      { name: "volume-1", mountPath: "/mnt/mesos/sandbox/rel" },
    ]);
  });

  test("pod names are DNS labels whatever the id", () => {
    assert.equal(podNameFor("/shop/cart.v2", "x7k2m"), "shop-cart-v2-x7k2m");
    assert.match(podNameFor(`/${"a".repeat(300)}`, "x7k2m"), /^a{50}-x7k2m$/);
  });

  for (const [value, text] of [
    [1, "1.0"],
    [0.5, "0.5"],
    [128, "128.0"],
    [1e7, "1.0E7"],
    [0.0001, "1.0E-4"],
    [0, "0.0"],
  ] as const) {
    test(`${value} is ${text} to Scala`, () => assert.equal(scalaDouble(value), text));
  }
});

test("the label says what becomes of an app whose node is lost, in the words of all dialects", () => {
  const rule = (label: string, more: object = {}) =>
    podOf({ id: "/a", cmd: "ls", labels: { "styrmann.dev/when-unreachable": label }, ...more }).spec.whenUnreachable;
  assert.deepEqual(rule("keep"), { action: "keep" });
  assert.deepEqual(rule("5m"), { action: "replace", afterMs: 300_000 });
  assert.deepEqual(rule("replace", { unreachableStrategy: "disabled" }), { action: "replace", afterMs: 0 });
});
