import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ChildContainer, Pod } from "../../model/pod.ts";
import { discoverUnit, unitLabels } from "./unit-names.ts";

const CONTAINER: ChildContainer = { id: "c1", name: "redis1", image: "redis", state: "running" };

function unitPod(unit: string, children: readonly ChildContainer[] = []): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...{ name: "p", namespace: "fleet", uid: "u1", resourceVersion: "1", generation: 1, creationTimestamp: "" },
      annotations: { "styrmann.dev/workload": unit, "styrmann.dev/dialect": "fleet" },
      ownerReferences: [
        { apiVersion: "fleet.styrmann.dev/v1", kind: "Unit", name: unit, uid: "unit-uid", controller: true },
      ],
    },
    spec: { containers: [{ name: "unit" }], hostNetwork: true },
    status: {
      ...{ phase: "Running", hostIP: "10.0.0.1" },
      containerStatuses: [
        { name: "unit", state: {}, ready: true, restartCount: 0, image: "", imageID: "", children: [...children] },
      ],
    },
  };
}

function lines(unit: string, children: readonly ChildContainer[] = []): readonly string[] {
  const records = discoverUnit(unitPod(unit, children))?.records ?? [];
  return records.map((record) => {
    if (record.type === "A") return `${record.name} ${record.address}`;
    return record.type === "SRV" ? `${record.name} ${record.target}:${record.port}` : record.name;
  });
}

describe("fleet: names of a unit", () => {
  test("lead to its host", () => {
    assert.deepEqual(lines("redis.service"), ["redis.fleet.local 10.0.0.1", "redis.service.fleet.local 10.0.0.1"]);
  });

  test("of a container on the pod network lead to that, by the unit's name and by its own", () => {
    const found = lines("redis.service", [{ ...CONTAINER, address: "10.42.0.250" }]);
    assert.ok(found.includes("redis.fleet.local 10.42.0.250"));
    assert.ok(found.includes("redis1.fleet.local 10.42.0.250"));
  });

  test("of a container that only its own host reaches lead to the host, with the port that is published there", () => {
    const ports = [{ containerPort: 6379, hostPort: 16_379, protocol: "tcp" }];
    const found = lines("redis.service", [{ ...CONTAINER, ports }]);
    assert.ok(found.includes("redis1.fleet.local 10.0.0.1"));
    assert.ok(found.includes("_redis1._tcp.fleet.local redis1.fleet.local:16379"));
    assert.ok(found.includes("_redis._tcp.fleet.local redis.fleet.local:16379"));
  });

  test("of a container are as its user wrote them, and with dashes", () => {
    for (const [name, labels] of [
      ["my_app", ["my_app", "my-app"]],
      ["Web.Prod", ["web.prod", "web-prod"]],
      ["demo.service", ["demo.service", "demo-service"]],
      ["a..b", ["a-b"]],
      ["cache", ["cache"]],
    ] as const) {
      const found = lines("other.service", [{ ...CONTAINER, name, address: "10.42.0.250" }]);
      const own = found.filter((line) => !line.startsWith("other."));
      assert.deepEqual(
        own,
        labels.map((label) => `${label}.fleet.local 10.42.0.250`),
      );
    }
  });

  test("of a container that has ended lead nowhere", () => {
    assert.ok(!lines("redis.service", [{ ...CONTAINER, state: "exited" }]).some((line) => line.startsWith("redis1")));
  });

  test("are not those of other dialects' pods, and not of units that are nowhere", () => {
    const pod = unitPod("redis.service");
    assert.equal(discoverUnit({ ...pod, metadata: { ...pod.metadata, annotations: {} } }), undefined);
    assert.equal(discoverUnit({ ...pod, status: { phase: "Pending" } }), undefined);
  });

  test("are not those of a pod that only says that it is a unit", () => {
    const pod = unitPod("redis.service");
    const { ownerReferences: _unit, ...unowned } = pod.metadata;
    assert.equal(discoverUnit({ ...pod, metadata: { ...pod.metadata, namespace: "shop" } }), undefined);
    assert.equal(discoverUnit({ ...pod, metadata: unowned }), undefined);
  });

  const tables: readonly (readonly [unit: string, labels: readonly string[]])[] = [
    ["web@1.service", ["web-1", "web@1", "web", "web-1.service"]],
    ["Backup.timer", ["backup", "backup.timer"]],
    ["a.b.service", ["a-b", "a-b.service"]],
    ["my_app.service", ["my-app", "my_app", "my-app.service"]],
  ];
  for (const [unit, labels] of tables)
    test(`${unit} is found as ${labels.join(", ")}`, () => assert.deepEqual(unitLabels(unit), labels));
});
