import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Container, PodSpec } from "../model/pod.ts";
import { compileDemand } from "./demand.ts";
import { Demands } from "./demands.ts";
import { fits } from "./fit.ts";
import { nodeInfoOf } from "./node-info.ts";
import { compileGlob } from "./patterns.ts";
import { type TestPod, testNode, testPod } from "./test-objects.ts";

const container = (memory: string, more: Partial<Container> = {}): Container => ({
  name: "c",
  image: "busybox",
  resources: { requests: { memory } },
  ...more,
});

describe("compileDemand", () => {
  const MIB = 2 ** 20;
  const demands: readonly { readonly name: string; readonly spec: PodSpec; readonly mib: number }[] = [
    { name: "app containers add up", spec: { containers: [container("10Mi"), container("20Mi")] }, mib: 30 },
    {
      name: "an init container runs alone, so the larger counts",
      spec: { containers: [container("10Mi")], initContainers: [container("50Mi"), container("40Mi")] },
      mib: 50,
    },
    {
      name: "a sidecar runs beside what comes after it",
      spec: {
        containers: [container("10Mi")],
        initContainers: [container("5Mi", { restartPolicy: "Always" }), container("40Mi")],
      },
      mib: 45,
    },
    {
      name: "a limit stands in for a request that is missing",
      spec: { containers: [{ name: "c", image: "x", resources: { limits: { memory: "7Mi" } } }] },
      mib: 7,
    },
  ];
  for (const { name, spec, mib } of demands) {
    test(name, () => assert.equal(compileDemand(testPod({ spec })).memoryBytes, mib * MIB));
  }

  test("drivers: the image's, the command's and what is said", () => {
    const containers = [container("1Mi"), { name: "p", command: ["sleep"] }, { name: "u", driver: "unit" as const }];
    assert.deepEqual(compileDemand(testPod({ spec: { containers } })).drivers, ["docker", "process", "unit"]);
  });

  test("ports on the host's network are the host's; a port that was picked is one that is held", () => {
    const ports = [{ containerPort: 8080 }, { containerPort: 1, dynamicHostPort: true, hostPort: 31007 }];
    const spec = { hostNetwork: true, containers: [{ ...container("1Mi"), ports }] };
    const demand = compileDemand(testPod({ spec }));
    assert.deepEqual(
      demand.hostPorts.map(({ port }) => port),
      [8080, 31007],
    );
    assert.equal(demand.dynamicPorts, 0);
  });

  test("copies of a template share one demand, whatever their names, status and picked ports", () => {
    const demands = new Demands();
    const first = testPod({ name: "a-1", owner: "rc", app: "a", cpu: "1" });
    const second = testPod({ name: "a-2", owner: "rc", app: "a", cpu: "1" });
    assert.equal(demands.of(first), demands.of(second));
    assert.equal(demands.of({ ...first, status: { phase: "Running" } }), demands.of(second));
    assert.notEqual(demands.of(testPod({ name: "a-3", owner: "rc", app: "a", cpu: "2" })), demands.of(second));
    const going = { ...first, metadata: { ...first.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    assert.equal(demands.of(going).identity.terminating, true);
  });
});

describe("fits", () => {
  const refusals: readonly { readonly pod: TestPod; readonly says: string | undefined }[] = [
    { pod: { cpu: "1", memory: "1Gi" }, says: undefined },
    { pod: { memory: "9Gi" }, says: "needs 9 GiB memory, 7.5 GiB of 8 GiB free" },
    { pod: { cpu: "4" }, says: "needs 4 CPU, 3500m of 4 free" },
    { pod: { hostPort: 80 }, says: "needs host port 80/tcp, held by default/there" },
    { pod: { ports: [{ containerPort: 53, hostPort: 80, protocol: "UDP" }] }, says: undefined },
    {
      pod: { ports: [{ containerPort: 80, hostPort: 80, hostIP: "127.0.0.1" }] },
      says: "needs host port 80/tcp, held by default/there",
    },
    {
      pod: { ports: [1, 2, 3].map((n) => ({ containerPort: n, dynamicHostPort: true })) },
      says: "needs 3 host ports, 2 of 31000-31001 free",
    },
    {
      // Its own fixed port lies in the range that the others are picked from.
      pod: {
        ports: [
          { containerPort: 1, hostPort: 31001 },
          { containerPort: 2, dynamicHostPort: true },
          { containerPort: 3, dynamicHostPort: true },
        ],
      },
      says: "needs 2 host ports, 1 of 31000-31001 free",
    },
    {
      pod: { spec: { containers: [{ name: "u", driver: "unit" }] } },
      says: "needs the unit driver, which this node does not have",
    },
    {
      pod: { spec: { nodeSelector: { disk: "ssd" } } },
      says: "does not satisfy nodeSelector disk=ssd (it has disk=(none))",
    },
  ];
  for (const { pod, says } of refusals) {
    test(says ?? `takes ${JSON.stringify(pod)}`, () => {
      const there = testPod({ name: "there", cpu: "500m", memory: "512Mi", hostPort: 80 });
      const node = nodeInfoOf(testNode({ name: "n1", dynamicPorts: [31000, 31001] }), [there]);
      assert.equal(fits(compileDemand(testPod(pod)), node)?.message, says);
    });
  }

  test("resources with names of their own are counted as any other; a node that does not offer them has none", () => {
    const gpus = (count: string): PodSpec => ({
      containers: [{ name: "c", image: "busybox", resources: { limits: { "nvidia.com/gpu": count } } }],
    });
    const node = testNode({ name: "n1" });
    const demand = compileDemand(testPod({ spec: gpus("1") }));
    assert.equal(fits(demand, nodeInfoOf(node, []))?.message, "needs 1 nvidia.com/gpu, 0 of 0 free");
    const allocatable = { ...node.status.allocatable, "nvidia.com/gpu": "3" };
    const offering = { ...node, status: { ...node.status, allocatable } };
    const info = nodeInfoOf(offering, [testPod({ name: "there", spec: gpus("2") })]);
    assert.equal(fits(demand, info), undefined);
    const two = compileDemand(testPod({ spec: gpus("2") }));
    assert.equal(fits(two, info)?.message, "needs 2 nvidia.com/gpu, 1 of 3 free");
    info.remove("default/there");
    assert.equal(fits(two, info), undefined, "what goes gives back");
  });

  test("where the engine can publish no ports, pods that publish some find no place, and all others do", () => {
    const plain = testNode({ name: "n1" });
    const gone = { type: "NetworkWorking", status: "False", reason: "DockerRulesGone" } as const;
    const conditions = [...plain.status.conditions, gone];
    const node = nodeInfoOf({ ...plain, status: { ...plain.status, conditions } }, []);
    const refusalOf = (spec: PodSpec) => fits(compileDemand(testPod({ spec })), node)?.message;
    const publishing = [container("1Mi", { ports: [{ containerPort: 80, dynamicHostPort: true }] })];
    assert.match(refusalOf({ containers: publishing }) ?? "", /publishes no ports: .*systemctl restart docker/);
    assert.equal(refusalOf({ containers: publishing, hostNetwork: true }), undefined);
    assert.equal(refusalOf({ containers: [container("1Mi", { ports: [{ containerPort: 80 }] })] }), undefined);
  });

  test("a finished pod holds nothing", () => {
    const done = { ...testPod({ cpu: "4" }), status: { phase: "Succeeded" as const } };
    assert.equal(fits(compileDemand(testPod({ cpu: "4" })), nodeInfoOf(testNode({ name: "n1" }), [done])), undefined);
  });

  test("a full node takes no pod more", () => {
    const node = nodeInfoOf(testNode({ name: "n1", pods: "1" }), [testPod({ name: "one" })]);
    assert.equal(fits(compileDemand(testPod({})), node)?.message, "already has 1 pods, and takes 1");
  });
});

describe("globs are Go's path.Match", () => {
  const globs: readonly (readonly [glob: string, name: string, matches: boolean])[] = [
    ["web*", "web@1.service", true],
    ["web*", "web/x", false],
    ["w?b", "wéb", true],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[^a-c]x", "dx", true],
    ["a\\*", "a*", true],
    ["a\\*", "ab", false],
    ["[a-", "a", false],
    ["[]a]", "a", false],
    ["a.c", "abc", false],
    ["hello.service", "hello.service", true],
    ["a\\", "a", false],
  ];
  for (const [glob, name, matches] of globs) {
    test(`${glob} ${matches ? "takes" : "leaves"} ${name}`, () => assert.equal(compileGlob(glob)(name), matches));
  }
});
