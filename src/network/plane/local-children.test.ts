import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod, PodStatus } from "../../model/pod.ts";
import { LocalChildren } from "./local-children.ts";
import type { LocalPod } from "./network-state.ts";

const UNIT = { metadata: { uid: "u", namespace: "fleet", name: "redis", labels: { app: "redis" } } } as unknown as Pod;

function statusWith(...children: readonly object[]): PodStatus {
  return { phase: "Running", containerStatuses: [{ name: "unit", children }] } as unknown as PodStatus;
}

describe("containers that a unit has started on the pod network", () => {
  const container = { id: "c1", name: "redis-1", image: "redis", state: "running", address: "10.42.0.240" };

  test("are pods of its namespace with its labels, while they run", () => {
    const localPods = new Map<string, LocalPod>();
    const children = new LocalChildren(localPods);
    const ports = [{ containerPort: 6379, hostPort: 16379, protocol: "tcp" }];
    assert.deepEqual(children.hear(UNIT, statusWith({ ...container, ports })), ["u/c1"]);
    assert.deepEqual(localPods.get("u/c1"), {
      ...{ uid: "u/c1", namespace: "fleet", name: "redis (redis-1)", address: "10.42.0.240" },
      ...{ labels: { app: "redis" }, ports: {}, published: ports },
    });
    assert.deepEqual(children.hear(UNIT, statusWith({ ...container, ports })), [], "nothing is otherwise");
    const next = { ...container, id: "c2", address: "10.42.0.241" };
    assert.deepEqual(children.hear(UNIT, statusWith({ ...container, state: "exited" }, next)), ["u/c1", "u/c2"]);
    assert.deepEqual([...localPods.keys()], ["u/c2"]);
    assert.deepEqual(children.gone("u"), ["u/c2"]);
    assert.equal(localPods.size, 0);
  });

  test("elsewhere, they are nobody of ours", () => {
    const localPods = new Map<string, LocalPod>();
    const { address: _none, ...elsewhere } = container;
    assert.deepEqual(new LocalChildren(localPods).hear(UNIT, statusWith(elsewhere)), []);
    assert.equal(localPods.size, 0);
  });
});
