import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Container, EnvVar, Pod } from "../model/pod.ts";
import { containerRun } from "./container-run.ts";
import { environmentOf, expandReferences } from "./environment.ts";
import { valueSourcesOf } from "./values.ts";

const context = {
  hostIP: "192.0.2.1",
  podIP: "10.0.0.2",
  values: { "Secret/s": { key: "v" } },
  allocatable: { cpuMillis: 3800, memoryBytes: 2 ** 30 },
};
const container: Container = {
  name: "c",
  image: "i",
  resources: { requests: { cpu: "250m" }, limits: { memory: "64Mi" } },
  ports: [{ name: "http", containerPort: 80, hostPort: 31_001 }],
};
const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    ...{ name: "p", namespace: "ns", uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "" },
    labels: { "app.io/name": "shop" },
    annotations: { note: "hello" },
  },
  spec: { containers: [container], nodeName: "n1" },
  status: { phase: "Pending" },
};

const references: readonly {
  readonly why: string;
  readonly from: EnvVar["valueFrom"];
  readonly gives: string | RegExp;
}[] = [
  { why: "a field", from: { fieldRef: { fieldPath: "metadata.namespace" } }, gives: "ns" },
  { why: "a label", from: { fieldRef: { fieldPath: "metadata.labels['app.io/name']" } }, gives: "shop" },
  { why: "an annotation", from: { fieldRef: { fieldPath: "metadata.annotations['note']" } }, gives: "hello" },
  { why: "a label that is not there is empty", from: { fieldRef: { fieldPath: "metadata.labels['x']" } }, gives: "" },
  { why: "the node", from: { fieldRef: { fieldPath: "spec.nodeName" } }, gives: "n1" },
  { why: "the host", from: { fieldRef: { fieldPath: "status.hostIP" } }, gives: "192.0.2.1" },
  {
    why: "an unknown field",
    from: { fieldRef: { fieldPath: "spec.hostPID" } },
    gives: /unsupported fieldPath: spec.hostPID/,
  },
  { why: "CPU in whole cores, rounded up", from: { resourceFieldRef: { resource: "requests.cpu" } }, gives: "1" },
  {
    why: "CPU in millis by its divisor",
    from: { resourceFieldRef: { resource: "requests.cpu", divisor: "1m" } },
    gives: "250",
  },
  { why: "memory in MiB", from: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } }, gives: "64" },
  {
    why: "no limit means the node's",
    from: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } },
    gives: "3800",
  },
  { why: "a secret", from: { secretKeyRef: { name: "s", key: "key" } }, gives: "v" },
  {
    why: "a missing key",
    from: { secretKeyRef: { name: "s", key: "no" } },
    gives: /couldn't find key no in secret "s"/,
  },
  { why: "a missing config map", from: { configMapKeyRef: { name: "m", key: "k" } }, gives: /configmap "m" not found/ },
  { why: "an assigned port", from: { assignedPort: "http" }, gives: "31001" },
  { why: "a port without host port", from: { assignedPort: "other" }, gives: /port "other" has no host port/ },
];

describe("environment", () => {
  for (const { why, from, gives } of references) {
    test(`${why}: ${gives}`, () => {
      const variable: EnvVar = from ? { name: "V", valueFrom: from } : { name: "V" };
      const resolve = () => environmentOf(pod, { ...container, env: [variable] }, context);
      if (typeof gives === "string") assert.equal(resolve().V, gives);
      else assert.throws(resolve, gives);
    });
  }

  test("an optional secret that is missing leaves the variable out", () => {
    const env = [{ name: "V", valueFrom: { secretKeyRef: { name: "no", key: "k", optional: true } } }];
    assert.deepEqual(environmentOf(pod, { ...container, env }, context), {});
  });

  test("envFrom brings whole config maps and secrets: with a prefix, later over earlier, env over all, no impossible names", () => {
    const values = { "ConfigMap/a": { X: "1", Y: "2", "no=name": "3" }, "Secret/s": { Y: "secret" } };
    const envFrom = [
      { configMapRef: { name: "a" } },
      { secretRef: { name: "s" } },
      { prefix: "P_", configMapRef: { name: "a" } },
      { configMapRef: { name: "none", optional: true } },
    ];
    const env = [
      { name: "X", value: "own" },
      { name: "Z", value: "$(Y)" },
    ];
    const run = { ...container, envFrom, env };
    const wanted = { X: "own", Y: "secret", P_X: "1", P_Y: "2", Z: "secret" };
    assert.deepEqual(environmentOf(pod, run, { ...context, values }), wanted);
    assert.deepEqual(
      valueSourcesOf({ ...pod, spec: { ...pod.spec, containers: [run] } }).map(({ kind, name, optional }) => [
        ...[kind, name, optional],
      ]),
      [
        ["ConfigMap", "a", false],
        ["ConfigMap", "none", true],
        ["Secret", "s", false],
      ],
    );
    assert.throws(() => environmentOf(pod, run, { ...context, values: {} }), /configmap "a" not found/);
  });

  test("references: known ones are replaced, unknown ones and single dollars stay, $$ is a dollar", () => {
    const rows: readonly (readonly [string, string])[] = [
      ["$(A)", "1"],
      ["$(A)$(B)", "1$(B)"],
      ["$$(A)", "$(A)"],
      ["$$$(A)", "$1"],
      ["cost: $5", "cost: $5"],
      ["$(A", "$(A"],
      ["$(constructor)", "$(constructor)"],
    ];
    for (const [text, expanded] of rows) assert.equal(expandReferences(text, { A: "1" }), expanded, text);
  });

  test("text without dollars is left as it is, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) => expandReferences(text.replaceAll("$", ""), { A: "1" }) === text.replaceAll("$", ""),
      ),
    );
  });

  test("a Marathon command is the task's own, to the letter; a Kubernetes one is expanded", () => {
    const run = { ...container, env: [{ name: "A", value: "1" }], args: ["$(A) $$"] };
    const more = { ...context, nodeName: "n1", memoryCapacityBytes: 2 ** 30, volumes: new Map() };
    assert.deepEqual(containerRun(pod, run, 0, more).spec.args, ["1 $"]);
    const annotations = { "styrmann.dev/dialect": "marathon" };
    const marathon = { ...pod, metadata: { ...pod.metadata, annotations } };
    assert.deepEqual(containerRun(marathon, run, 0, more).spec.args, ["$(A) $$"]);
  });

  test("a subPath is only what was opened for it, and a mount needs its volume", () => {
    const more = { ...context, nodeName: "n1", memoryCapacityBytes: 2 ** 30, volumes: new Map([["v", "/state/v"]]) };
    const mounting = (name: string, subPath: string) => ({
      ...container,
      volumeMounts: [{ name, mountPath: "/m", subPath }],
    });
    const made = { ...more, subPaths: new Map([[0, "/state/.subpaths/c-0"]]) };
    assert.equal(containerRun(pod, mounting("v", "a/b"), 0, made).mounts[0]?.hostPath, "/state/.subpaths/c-0");
    assert.throws(() => containerRun(pod, mounting("v", "a/b"), 0, more), /subPath "a\/b" of volume "v" was not made/);
    assert.throws(() => containerRun(pod, mounting("w", ""), 0, more), /volume "w" is not in the pod/);
  });

  test("sources are named once; one needed reference makes them needed", () => {
    const ref = (optional: boolean) => ({ name: "V", valueFrom: { secretKeyRef: { name: "s", key: "k", optional } } });
    const both = { ...pod, spec: { ...pod.spec, containers: [{ ...container, env: [ref(true), ref(false)] }] } };
    assert.deepEqual(valueSourcesOf(both), [{ kind: "Secret", name: "s", optional: false }]);
  });
});

describe("variables of services in a container", () => {
  const serviceVariables = { REDIS_SERVICE_HOST: "10.96.0.11", REDIS_SERVICE_PORT: "6379" };

  test("are there, may be referred to, and give way to what the container says itself", () => {
    const env = [
      { name: "URL", value: "redis://$(REDIS_SERVICE_HOST):$(REDIS_SERVICE_PORT)" },
      { name: "REDIS_SERVICE_PORT", value: "1" },
    ];
    assert.deepEqual(environmentOf(pod, { ...container, env }, { ...context, serviceVariables }), {
      REDIS_SERVICE_HOST: "10.96.0.11",
      REDIS_SERVICE_PORT: "1",
      URL: "redis://10.96.0.11:6379",
    });
  });

  test("give way to envFrom", () => {
    const run = { ...container, envFrom: [{ secretRef: { name: "s" } }] };
    const values = { "Secret/s": { REDIS_SERVICE_HOST: "db.example.org" } };
    const found = environmentOf(pod, run, { ...context, values, serviceVariables });
    assert.equal(found.REDIS_SERVICE_HOST, "db.example.org");
  });
});
