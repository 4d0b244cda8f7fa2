import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { clusterNetworks } from "../../../src/model/cluster-network.ts";
import { nodes } from "../../../src/model/node.ts";
import { pods } from "../../../src/model/pod.ts";
import { services } from "../../../src/model/service.ts";
import { type Answer, type Cluster, openCluster, podNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";

function service(name: string, spec: object = {}): object {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } };
}

describe("kubernetes: services", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster({ controllers: false });
  });
  afterEach(() => cluster.close());

  const post = (name: string, spec?: object) => cluster.post(`${NS}/services`, service(name, spec));

  async function made(name: string, spec?: object) {
    const answer = await post(name, spec);
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  }

  function refused(answer: Answer, words: RegExp): void {
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.body.message, words);
  }

  async function useRange(serviceRange: string): Promise<void> {
    await cluster.store.update((tx) => {
      const draft = { apiVersion: clusterNetworks.apiVersion, kind: "ClusterNetwork", metadata: { name: "cluster" } };
      tx.create(clusterNetworks, { ...draft, kind: "ClusterNetwork", spec: { serviceRange } });
    });
  }

  async function nodeGiving(first: number, last: number): Promise<void> {
    await cluster.post("/api/v1/nodes", { kind: "Node", metadata: { name: "n1" } });
    await cluster.store.update((tx) => {
      const node = tx.get(nodes, "n1") ?? assert.fail("no node");
      tx.update(nodes, { ...node, status: { ...node.status, dynamicPorts: [first, last] } });
    });
  }

  test("defaults are those that users of Kubernetes see", async () => {
    const { spec, status } = await made("web", { sessionAffinity: "ClientIP", type: "NodePort" });
    const { clusterIP, clusterIPs, ports, ...rest } = spec;
    assert.deepEqual(clusterIPs, [clusterIP]);
    const [{ nodePort, ...port }] = ports;
    assert.deepEqual(port, { port: 80, protocol: "TCP", targetPort: 80 });
    assert.deepEqual(rest, {
      type: "NodePort",
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    });
    assert.deepEqual(status, { loadBalancer: {} });
  });

  const stored: readonly {
    readonly why: string;
    readonly spec: object;
    readonly field: string;
    readonly is: unknown;
  }[] = [
    {
      why: "affinity for as long as asked",
      spec: { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
      field: "sessionAffinityConfig",
      is: { clientIP: { timeoutSeconds: 60 } },
    },
    {
      why: "no affinity, no time",
      spec: { sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
      field: "sessionAffinityConfig",
      is: undefined,
    },
    {
      why: "traffic of this node's own",
      spec: { internalTrafficPolicy: "Local" },
      field: "internalTrafficPolicy",
      is: "Local",
    },
    {
      why: "traffic to nearby endpoints",
      spec: { trafficDistribution: "PreferSameZone" },
      field: "trafficDistribution",
      is: "PreferSameZone",
    },
    {
      why: "a load balancer has node ports",
      spec: { type: "LoadBalancer" },
      field: "allocateLoadBalancerNodePorts",
      is: true,
    },
  ];
  for (const { why, spec, field, is } of stored)
    test(why, async () => assert.deepEqual((await made("web", spec)).spec[field], is));

  const wrong: readonly { readonly why: string; readonly spec: object; readonly words: RegExp }[] = [
    {
      why: "affinity of no time",
      spec: { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
      words:
        /spec\.sessionAffinityConfig\.clientIP\.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than or equal to 86400/,
    },
    {
      why: "a traffic policy from outside without a way in",
      spec: { externalTrafficPolicy: "Local" },
      words: /spec\.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services/,
    },
    {
      why: "a traffic policy that there is not",
      spec: { internalTrafficPolicy: "Near" },
      words: /spec\.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"/,
    },
    {
      why: "a distribution that there is not",
      spec: { trafficDistribution: "PreferFar" },
      words:
        /spec\.trafficDistribution: Unsupported value: "PreferFar": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"/,
    },
    {
      why: "node ports of a load balancer for what is none",
      spec: { allocateLoadBalancerNodePorts: true },
      words: /may only be used when `type` is 'LoadBalancer'/,
    },
    {
      why: "IPv6",
      spec: { ipFamilies: ["IPv6"] },
      words: /spec\.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster/,
    },
    {
      why: "both families",
      spec: { ipFamilyPolicy: "RequireDualStack" },
      words: /this cluster is not configured for dual-stack services/,
    },
    {
      why: "somebody else's addresses",
      spec: { externalIPs: ["192.0.2.1"] },
      words: /spec\.externalIPs: Forbidden: not supported/,
    },
    {
      why: "a protocol of applications without a name",
      spec: { ports: [{ port: 80, appProtocol: "a/b/c" }] },
      words: /spec\.ports\[0\]\.appProtocol: Invalid value/,
    },
    {
      why: "two addresses that differ",
      spec: { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.8"] },
      words: /first value must match `clusterIP`/,
    },
    {
      why: "another name that is none",
      spec: { type: "ExternalName", externalName: "not_a_name" },
      words: /spec\.externalName: Invalid value: "not_a_name"/,
    },
  ];
  for (const { why, spec, words } of wrong)
    test(`refused: ${why}`, async () => refused(await post("web", spec), words));

  test("refused: a name that is no DNS label", async () => {
    for (const name of ["Web", "web.shop", "9web", "-web", "a".repeat(64)])
      refused(await post(name), /metadata\.name: Invalid value/);
  });

  test("addresses come from the cluster's own range; when it is full, that is said of it by name", async () => {
    await useRange("10.200.0.0/28");
    const given = [];
    for (let n = 0; n < 14; n++) given.push((await made(`web-${n}`)).spec.clusterIP);
    assert.deepEqual(
      given.toSorted((a, b) => Number(a.split(".")[3]) - Number(b.split(".")[3])),
      Array.from({ length: 14 }, (_, n) => `10.200.0.${n + 1}`),
    );
    refused(await post("late"), /range is full: all 14 addresses of 10\.200\.0\.0\/28 are taken/);
    await cluster.delete(`${NS}/services/web-3`);
    assert.equal((await made("late")).spec.clusterIP, given[3], "the one that was given back");
    refused(
      await post("outside", { clusterIP: "10.96.0.9" }),
      /the provided IP is not in the valid range\. The range of valid IPs is 10\.200\.0\.0\/28/,
    );
  });

  test("two services that want one node port: the second is refused and told whose it is", async () => {
    await made("first", { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] });
    refused(
      await post("second", { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }),
      /spec\.ports\[0\]\.nodePort: Invalid value: 30080: provided port is already allocated: Service default\/first has it/,
    );
    await made("udp", { type: "NodePort", ports: [{ port: 80, nodePort: 30080, protocol: "UDP" }] });
  });

  test("a node port that is a Marathon app's service port is refused", async () => {
    await cluster.post(`${NS}/pods`, podNamed("task"));
    await cluster.store.update((tx) => {
      const pod = tx.get(pods, "default/task") ?? assert.fail("no pod");
      const annotations = { "styrmann.dev/dialect": "marathon", "styrmann.dev/workload": "/prod/web" };
      const ports = [{ containerPort: 80, servicePort: 30_080, protocol: "TCP" as const }];
      const containers = pod.spec.containers.map((container) => ({ ...container, ports }));
      const ownerReferences = [{ apiVersion: "marathon/v2", kind: "App", name: "web", uid: "app", controller: true }];
      const metadata = { name: "task", namespace: "marathon", annotations, ownerReferences };
      tx.create(pods, { ...pod, metadata, spec: { ...pod.spec, containers } });
    });
    refused(
      await post("web", { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] }),
      /provided port is already allocated: Marathon app \/prod\/web has it/,
    );
  });

  test("node ports that are chosen by themselves are none that nodes give to host ports", async () => {
    await nodeGiving(30_000, 30_500);
    for (let n = 0; n < 60; n++) {
      const { nodePort } = (await made(`web-${n}`, { type: "NodePort" })).spec.ports[0];
      assert.ok(nodePort > 30_500 && nodePort <= 32_767, String(nodePort));
      assert.ok(nodePort < 31_000 || nodePort > 32_000, String(nodePort));
    }
  });

  test("a service that wants more node ports than there are is told so, at once", async () => {
    const ports = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `p${at}`, port: at + 1 }));
    const began = performance.now();
    refused(
      await post("greedy", { type: "NodePort", ports: ports(1_768) }),
      /range is full: 30000-32767 without 31000-32000/,
    );
    refused(await post("greedy", { type: "NodePort", ports: ports(20_000) }), /range is full/);
    assert.ok(performance.now() - began < 5_000, "it looks at each port once, not for each port at all of them");
    const given = (await made("all", { type: "NodePort", ports: ports(1_767) })).spec.ports;
    assert.equal(new Set(given.map(({ nodePort }: { nodePort: number }) => nodePort)).size, 1_767);
    refused(await post("late", { type: "NodePort" }), /range is full/);
  });

  test("ports are rules on every node: a Service has 2,000 at most, and those of one namespace as many as the cluster's settings say", async () => {
    const ports = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `p${at}`, port: at + 1 }));
    refused(await post("wide", { ports: ports(2_001) }), /spec.ports: Too many: 2001: must have at most 2000 items/);
    for (const name of ["one", "two"]) await made(name, { ports: ports(2_000) });
    const third = await post("three", { ports: ports(1_001) });
    assert.equal(third.status, 403, third.text);
    assert.match(
      third.body.message,
      /namespace default may have 5000 ports .*: the others have 4000, and this one wants 1001/,
    );
    await made("three", { ports: ports(1_000) });
    const other = await cluster.post("/api/v1/namespaces/kube-public/services", service("other", { ports: ports(9) }));
    assert.notEqual(other.status, 403, other.text);
    const grown = await cluster.patch(`${NS}/services/three`, "merge", { spec: { ports: ports(1_001) } });
    assert.equal(grown.status, 403, grown.text);
    const fewer = { spec: { ports: ports(999), selector: { a: "b" } } };
    const less = await cluster.patch(`${NS}/services/three`, "merge", fewer);
    assert.equal(less.status, 200, less.text);
    await made("four");
  });

  test("a port that is chosen is not given to another of the same service", async () => {
    const first = (await made("web", { type: "NodePort" })).spec.ports[0].nodePort;
    await cluster.delete(`${NS}/services/web`);
    const ports = [
      { name: "a", port: 80 },
      { name: "b", port: 81, nodePort: first },
    ];
    const given = (await made("web", { type: "NodePort", ports })).spec.ports;
    assert.equal(given[1].nodePort, first);
    assert.notEqual(given[0].nodePort, first);
  });

  test("a node port that a node gives to host ports is refused, and kept by who had it before the node came", async () => {
    const chosen = { type: "NodePort", ports: [{ port: 80, nodePort: 31_500 }] };
    await made("early", chosen);
    await nodeGiving(31_000, 32_000);
    refused(
      await post("late", { type: "NodePort", ports: [{ port: 80, nodePort: 31_501 }] }),
      /provided port is one that node n1 gives to host ports of its pods \(31000-32000\): choose one outside/,
    );
    const kept = await cluster.patch(`${NS}/services/early`, "merge", { spec: { sessionAffinity: "ClientIP" } });
    assert.equal(kept.status, 200, kept.text);
  });

  test("another type takes what belongs to it along and leaves what belonged to the old one", async () => {
    const { clusterIP } = (await made("web", { type: "NodePort" })).spec;
    const asCluster = await cluster.patch(`${NS}/services/web`, "strategic", { spec: { type: "ClusterIP" } });
    assert.equal(asCluster.status, 200, asCluster.text);
    assert.deepEqual(
      [asCluster.body.spec.clusterIP, asCluster.body.spec.ports[0].nodePort, asCluster.body.spec.externalTrafficPolicy],
      [clusterIP, undefined, undefined],
    );
    const outside = { spec: { type: "ExternalName", externalName: "db.example.org" } };
    const asName = await cluster.patch(`${NS}/services/web`, "merge", outside);
    assert.equal(asName.status, 200, asName.text);
    assert.deepEqual([asName.body.spec.clusterIP, asName.body.spec.clusterIPs], [undefined, undefined]);
    const back = await cluster.patch(`${NS}/services/web`, "merge", { spec: { type: "ClusterIP" } });
    assert.equal(back.status, 200, back.text);
    assert.match(back.body.spec.clusterIP, /^10\./);
    assert.equal(back.body.spec.externalName, undefined);
  });

  test("what is accepted and not done is said in a warning", async () => {
    const answer = await post("web", { type: "LoadBalancer", healthCheckNodePort: 32_100 });
    const { nodePort } = answer.body.spec.ports[0];
    const warning = answer.headers.get("warning") ?? "";
    assert.match(warning, new RegExp(`no load balancer is made.*every node's address, port ${nodePort}`));
    assert.match(warning, /healthCheckNodePort: kept, and nothing listens there/);
  });

  test("what an earlier version has taken may be changed otherwise, and not be asked for anew", async () => {
    await made("web");
    await cluster.store.update((tx) => {
      const old = tx.get(services, "default/web") ?? assert.fail("no service");
      tx.update(services, { ...old, spec: { ...old.spec, externalIPs: ["192.0.2.1"], clusterIP: "10.1.2.3" } });
    });
    const changed = await cluster.patch(`${NS}/services/web`, "merge", { spec: { sessionAffinity: "ClientIP" } });
    assert.equal(changed.status, 200, changed.text);
    const more = { spec: { externalIPs: ["192.0.2.1", "192.0.2.2"] } };
    refused(await cluster.patch(`${NS}/services/web`, "merge", more), /spec\.externalIPs: Forbidden/);
  });

  test("a load balancer that wants no node ports gets none", async () => {
    const { spec } = await made("web", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false });
    assert.equal(spec.ports[0].nodePort, undefined);
  });
});
