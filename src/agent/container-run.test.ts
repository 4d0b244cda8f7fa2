import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ContainerPort, Pod } from "../model/pod.ts";
import { containerRun } from "./container-run.ts";

function publishes(ports: readonly ContainerPort[], hostNetwork = false) {
  const container = { name: "app", image: "busybox:1", ports };
  const metadata = {
    name: "web",
    namespace: "default",
    uid: "u1",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  };
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { containers: [container], hostNetwork },
    status: { phase: "Pending" },
  };
  const context = {
    nodeName: "n1",
    address: "10.42.0.2",
    volumes: new Map<string, string>(),
    hostIP: "10.0.0.1",
    podIP: "10.42.0.2",
    values: {},
    allocatable: { cpuMillis: 1000, memoryBytes: 2 ** 30 },
    memoryCapacityBytes: 2 ** 30,
  };
  return containerRun(pod, container, 0, context).pod.ports;
}

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
