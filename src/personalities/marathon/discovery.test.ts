import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NameRecord } from "../../model/network.ts";
import type { ContainerPort, Pod, PodSpec } from "../../model/pod.ts";
import { discoverApp, taskLabel } from "./discovery.ts";

const WEB_PORT: ContainerPort = { name: "port-0", containerPort: 80, hostPort: 31_000, servicePort: 10_001 };

function instance(id: string, ports: readonly ContainerPort[] = [WEB_PORT], more: Partial<PodSpec> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...{
        name: "prod-web-x7k2m",
        namespace: "marathon",
        uid: "u1",
        resourceVersion: "1",
        generation: 1,
        creationTimestamp: "",
      },
      annotations: { "styrmann.dev/workload": id, "styrmann.dev/dialect": "marathon" },
      ownerReferences: [{ apiVersion: "marathon/v2", kind: "App", name: "app", uid: "app-uid", controller: true }],
    },
    spec: { containers: [{ name: "app", ports }], ...more },
    status: { phase: "Running", hostIP: "10.0.0.1", podIP: more.hostNetwork ? "10.0.0.1" : "10.42.0.5" },
  };
}

function lines(records: readonly NameRecord[] = []): readonly string[] {
  return records.map((record) => {
    if (record.type === "A") return `${record.name} ${record.address}`;
    return record.type === "SRV" ? `${record.name} ${record.target}:${record.port}` : record.name;
  });
}

describe("Marathon: names of an app", () => {
  test("are Mesos-DNS' names, and the app's path backwards", () => {
    assert.deepEqual(lines(discoverApp(instance("/prod/web"))?.records), [
      "web-prod.marathon.mesos 10.42.0.5",
      "web.prod.marathon.mesos 10.42.0.5",
      "web-prod.marathon.slave.mesos 10.0.0.1",
      "web.prod.marathon.slave.mesos 10.0.0.1",
      "prod-web-x7k2m.marathon.mesos 10.42.0.5",
      "prod-web-x7k2m.marathon.slave.mesos 10.0.0.1",
      "_web-prod._tcp.marathon.mesos prod-web-x7k2m.marathon.mesos:80",
      "_web.prod._tcp.marathon.mesos prod-web-x7k2m.marathon.mesos:80",
      "_web-prod._tcp.marathon.slave.mesos prod-web-x7k2m.marathon.slave.mesos:31000",
      "_web.prod._tcp.marathon.slave.mesos prod-web-x7k2m.marathon.slave.mesos:31000",
    ]);
  });

  test("of two instances on two hosts, each host is named with the port that the instance has there", () => {
    const one = instance("/prod/web");
    const port = { ...WEB_PORT, hostPort: 31_837 };
    const other = {
      ...instance("/prod/web", [port]),
      metadata: { ...one.metadata, name: "prod-web-other", uid: "u2" },
      status: { ...one.status, hostIP: "10.0.0.2" },
    };
    const records = [one, other].flatMap((pod) => discoverApp(pod)?.records ?? []);
    const agents = records.flatMap((record) =>
      record.type === "SRV" && record.name === "_web-prod._tcp.marathon.slave.mesos"
        ? records.flatMap((each) =>
            each.type === "A" && each.name === record.target ? `${each.address}:${record.port}` : [],
          )
        : [],
    );
    assert.deepEqual(agents, ["10.0.0.1:31000", "10.0.0.2:31837"]);
  });

  test("an app without a group has one name", () => {
    const found = lines(discoverApp(instance("/web", []))?.records);
    assert.deepEqual(
      found.filter((line) => line.startsWith("web")),
      ["web.marathon.mesos 10.42.0.5", "web.marathon.slave.mesos 10.0.0.1"],
    );
  });

  test("on the host's network it is found at its host, with the port that it was given there", () => {
    const pod = instance("/web", [{ name: "http", containerPort: 0, hostPort: 31_005 }], { hostNetwork: true });
    const found = lines(discoverApp(pod)?.records);
    assert.ok(found.includes("web.marathon.mesos 10.0.0.1"));
    assert.ok(found.includes("_web._tcp.marathon.mesos prod-web-x7k2m.marathon.mesos:31005"));
    assert.ok(
      found.includes("_http._web._tcp.marathon.mesos prod-web-x7k2m.marathon.mesos:31005"),
      "by the port's name",
    );
  });

  test("on the host's network it is found at its host, whatever address the pod itself says it has", () => {
    const pod = instance("/web", [{ name: "http", containerPort: 0, hostPort: 31_005 }], { hostNetwork: true });
    const found = discoverApp({ ...pod, status: { ...pod.status, podIP: "10.42.0.5" } });
    assert.ok(lines(found?.records).includes("web.marathon.mesos 10.0.0.1"));
    assert.deepEqual(
      found?.services[0]?.ports.map(({ address, port }) => `${address}:${port}`),
      ["10.0.0.1:31005"],
    );
  });

  test("its host has a name for it only where it answers there", () => {
    const ownHost = "prod-web-x7k2m.marathon.slave.mesos 10.0.0.1";
    assert.ok(lines(discoverApp(instance("/prod/web"))?.records).includes(ownHost));
    for (const ports of [[], [{ name: "http", containerPort: 80 }]])
      assert.ok(!lines(discoverApp(instance("/prod/web", ports))?.records).includes(ownHost));
  });

  test("a port for tcp and udp has one name in both", () => {
    const [tcp, udp] = [
      { name: "dns", containerPort: 0, hostPort: 31_005, servicePort: 10_053 },
      { name: "dns-udp", containerPort: 0, hostPort: 31_005, servicePort: 10_053, protocol: "UDP" as const },
    ];
    const found = discoverApp(instance("/web", [tcp, udp], { hostNetwork: true }));
    for (const protocol of ["tcp", "udp"])
      assert.ok(
        lines(found?.records).includes(`_dns._web._${protocol}.marathon.mesos prod-web-x7k2m.marathon.mesos:31005`),
        protocol,
      );
    assert.deepEqual(
      found?.services?.[0]?.ports.map(({ id, protocol, port }) => [id, protocol, port]),
      [
        ["0", "tcp", 31_005],
        ["0", "udp", 31_005],
      ],
    );
  });

  test("its service ports lead to the instance's own address and port", () => {
    assert.deepEqual(discoverApp(instance("/prod/web"))?.services, [
      {
        id: "marathon:/prod/web",
        ports: [{ id: "0", protocol: "tcp", address: "10.42.0.5", port: 80 }],
      },
    ]);
  });

  describe("on a network of the user's", () => {
    const [inside, published] = [{ name: "http", containerPort: 8080, servicePort: 10_600 }, WEB_PORT];
    const on = (ports: readonly ContainerPort[], networkAddress?: string) => {
      const status = { phase: "Running" as const, hostIP: "10.0.0.1" };
      const pod = { ...instance("/prod/web", ports), status: networkAddress ? { ...status, networkAddress } : status };
      const { records, services } = discoverApp(pod) ?? assert.fail("nothing is told of it");
      return { names: lines(records), ports: services[0]?.ports };
    };

    test("it is found at what its host publishes", () => {
      for (const address of ["172.20.0.5", undefined]) {
        const { names, ports } = on([inside, published], address);
        assert.ok(names.includes("web-prod.marathon.mesos 10.0.0.1"), names.join("\n"));
        assert.ok(
          names.includes("_web-prod._tcp.marathon.mesos prod-web-x7k2m.marathon.mesos:31000"),
          names.join("\n"),
        );
        assert.deepEqual(ports, [{ id: "1", protocol: "tcp", address: "10.0.0.1", port: 31_000 }]);
      }
    });

    test("without a published port it is found by those on that network, and no service port leads there", () => {
      const { names, ports } = on([inside], "172.20.0.5");
      assert.ok(names.includes("web-prod.marathon.mesos 172.20.0.5"), names.join("\n"));
      assert.ok(names.includes("web-prod.marathon.slave.mesos 10.0.0.1"), names.join("\n"));
      assert.ok(names.includes("_http._web-prod._tcp.marathon.mesos prod-web-x7k2m.marathon.mesos:8080"));
      assert.deepEqual(ports, []);
    });

    test("without a published port and an address of its own its name does not lead to the host, where nothing listens", () => {
      const { names, ports } = on([inside]);
      assert.deepEqual(names, ["web-prod.marathon.slave.mesos 10.0.0.1", "web.prod.marathon.slave.mesos 10.0.0.1"]);
      assert.deepEqual(ports, []);
    });
  });

  test("a port that was not drawn yet leads nowhere", () => {
    const pod = instance("/web", [{ containerPort: 0, dynamicHostPort: true }], { hostNetwork: true });
    assert.deepEqual(discoverApp(pod)?.services[0]?.ports, []);
  });

  test("an instance that has no host yet, and pods of other dialects, have no such names", () => {
    const pod = instance("/web");
    assert.equal(discoverApp({ ...pod, status: { phase: "Pending" } }), undefined);
    assert.equal(discoverApp({ ...pod, metadata: { ...pod.metadata, annotations: {} } }), undefined);
  });

  test("a pod that only says that it is an instance has no such names: not in another namespace, nor without an app for its owner", () => {
    const pod = instance("/prod/web");
    const { ownerReferences: _app, ...unowned } = pod.metadata;
    const other = [{ apiVersion: "v1", kind: "ReplicationController", name: "web", uid: "rc", controller: true }];
    assert.notEqual(discoverApp(pod), undefined);
    assert.equal(discoverApp({ ...pod, metadata: { ...pod.metadata, namespace: "shop" } }), undefined);
    assert.equal(discoverApp({ ...pod, metadata: unowned }), undefined);
    assert.equal(discoverApp({ ...pod, metadata: { ...unowned, ownerReferences: other } }), undefined);
  });

  const labels: readonly (readonly [given: string, label: string])[] = [
    ["web.prod", "web-prod"],
    ["Web_Prod", "web-prod"],
    ["-web-", "web"],
    ["we b!", "web"],
    ["a".repeat(70), "a".repeat(63)],
  ];
  for (const [given, label] of labels)
    test(`${given.slice(0, 12)} is the label ${label.slice(0, 12)}`, () => assert.equal(taskLabel(given), label));
});
