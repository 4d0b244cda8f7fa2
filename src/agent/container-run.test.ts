import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Container, ContainerPort, Pod, PodSpec, Volume } from "../model/pod.ts";
import { containerRun, needsAddress } from "./container-run.ts";

function runOf(
  container: Container,
  hostNetwork = false,
  volumes: readonly Volume[] = [],
  more: Partial<PodSpec> = {},
) {
  const metadata = {
    ...{ name: "web", namespace: "default", uid: "u1" },
    ...{ resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
  };
  const spec = { containers: [container], hostNetwork, volumes, ...more };
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

describe("an address of the pod network", () => {
  const needs = (docker: Container["docker"], podNetwork?: string) => {
    const container = { name: "app", image: "i", ...(docker ? { docker } : {}) };
    const pod = { spec: { containers: [container] } } as unknown as Pod;
    return needsAddress(pod, podNetwork);
  };

  test("is given to who names none, or that one by its usual or its own name", () => {
    for (const docker of [undefined, { network: "styrmann" }, { network: "own" }])
      assert.equal(needs(docker, "own"), true, JSON.stringify(docker));
  });

  test("is not given on a network of the user's, however it is named", () => {
    const byParameter = (key: string) => ({ parameters: [{ key, value: "theirs" }] });
    for (const docker of [{ network: "own" }, { network: "host" }, byParameter("net"), byParameter("network")])
      assert.equal(needs(docker), false, JSON.stringify(docker));
  });
});

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

describe("what a pod asks of the kernel", () => {
  test("groups, DNS and kernel settings go to the driver; nothing asked for is nothing said", () => {
    const securityContext = {
      supplementalGroups: [5, 6],
      fsGroup: 6,
      sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }],
    };
    const dnsConfig = { nameservers: ["10.0.0.53"], options: [{ name: "ndots", value: "2" }, { name: "rotate" }] };
    const { pod } = runOf({ name: "app", image: "i" }, false, [], {
      securityContext,
      dnsConfig,
      hostPID: true,
      hostIPC: true,
    });
    assert.deepEqual(pod.groups, [5, 6]);
    assert.deepEqual(pod.dns, { nameservers: ["10.0.0.53"], searches: [], options: ["ndots:2", "rotate"] });
    assert.deepEqual(pod.sysctls, { "kernel.shm_rmid_forced": "1" });
    assert.deepEqual([pod.hostPID, pod.hostIPC], [true, true]);
    const plain = runOf({ name: "app", image: "i" }).pod;
    for (const field of ["groups", "dns", "sysctls", "hostPID", "hostIPC"]) assert.ok(!(field in plain), field);
  });

  test("runAsNonRoot: root is refused here, an image's user is its driver's to look at", () => {
    const runAs = (runAsUser?: number) =>
      runOf({
        ...{ name: "app", image: "i" },
        securityContext: { runAsNonRoot: true, ...(runAsUser === undefined ? {} : { runAsUser }) },
      });
    assert.throws(() => runAs(0), /runAsUser breaks non-root policy/);
    assert.equal(runAs().runAsNonRoot, true);
    assert.equal(runAs(7).runAsUser, 7);
    const process = { name: "app", command: ["id"], securityContext: { runAsNonRoot: true } };
    assert.throws(() => runOf(process), /would run as the agent's user/);
    assert.equal(runOf({ ...process, process: { user: "nobody" } }).runAsNonRoot, true);
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
