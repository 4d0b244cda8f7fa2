import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Container, ContainerPort, Pod, Volume } from "../model/pod.ts";
import { containerRun } from "./container-run.ts";

function runOf(container: Container, hostNetwork = false, volumes: readonly Volume[] = []) {
  const metadata = {
    ...{ name: "web", namespace: "default", uid: "u1" },
    ...{ resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
  };
  const spec = { containers: [container], hostNetwork, volumes };
  const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata, spec, status: { phase: "Pending" } };
  return containerRun(pod, container, 0, {
    ...{ nodeName: "n1", address: "10.42.0.2", hostIP: "10.0.0.1", podIP: "10.42.0.2", values: {} },
    volumes: new Map(volumes.map(({ name }) => [name, `/state/${name}`])),
    allocatable: { cpuMillis: 1000, memoryBytes: 2 ** 30 },
    memoryCapacityBytes: 2 ** 30,
  });
}

function publishes(ports: readonly ContainerPort[], hostNetwork = false) {
  return runOf({ name: "app", image: "busybox:1", ports }, hostNetwork).pod.ports;
}

describe("the mounts of a container", () => {
  test("config maps and secrets are mounted read-only whatever is asked; other volumes as asked", () => {
    const volumes = [
      { name: "c", configMap: { name: "c" } },
      { name: "s", secret: { secretName: "s" } },
      { name: "e", emptyDir: {} },
    ];
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}`, readOnly: false }));
    const { mounts } = runOf({ name: "app", image: "busybox:1", volumeMounts }, false, volumes);
    assert.deepEqual(
      mounts.map(({ mountPath, readOnly }) => [mountPath, readOnly]),
      [
        ["/c", true],
        ["/s", true],
        ["/e", false],
      ],
    );
  });
});

describe("the ports of a pod", () => {
  const table: readonly {
    readonly why: string;
    readonly port: ContainerPort;
    readonly published: readonly (readonly [number, number])[];
  }[] = [
    { why: "a port without a host port is the pod's own affair", port: { containerPort: 80 }, published: [] },
    { why: "host port 0 is none", port: { containerPort: 80, hostPort: 0 }, published: [] },
    { why: "a host port is published", port: { containerPort: 80, hostPort: 8080 }, published: [[80, 8080]] },
    {
      why: "container port 0 is the number that the host port has (Marathon)",
      port: { containerPort: 0, hostPort: 31005 },
      published: [[31005, 31005]],
    },
  ];
  for (const { why, port, published } of table) {
    test(why, () => {
      assert.deepEqual(
        publishes([port]).map(({ containerPort, hostPort }) => [containerPort, hostPort]),
        published,
      );
    });
  }

  test("a pod on the host's network publishes nothing: its ports are the host's already", () => {
    assert.deepEqual(publishes([{ containerPort: 80, hostPort: 80 }], true), []);
  });
});

describe("the CPU limit of a container", () => {
  const limitOf = (cpu: string) => {
    const container = { name: "app", image: "busybox:1", resources: { limits: { cpu } } };
    return runOf(container).limits.cpuLimitMillis;
  };
  test("below what all pods may have together it is its own quota", () => assert.equal(limitOf("500m"), 500));
  test("from there on it limits nothing, and the kernel would refuse it", () => {
    assert.equal(limitOf("1"), undefined);
    assert.equal(limitOf("4"), undefined);
  });
});
