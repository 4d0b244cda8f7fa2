import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Node, nodes } from "../model/node.ts";
import type { NodeState, NodeStates } from "../model/node-state.ts";
import { type Pod, pods } from "../model/pod.ts";
import { testNode, testPod } from "../scheduling/test-objects.ts";
import { listNodes } from "./node-rows.ts";

test("nodes: what is asked counts init containers as the scheduler does", () => {
  const node = testNode({ name: "n1" }) as Node;
  const plain = testPod({ name: "a" }) as Pod;
  const init = { name: "first", image: "x", resources: { requests: { cpu: "3" } } };
  const main = { name: "main", image: "x", resources: { requests: { cpu: "1" } } };
  const pod: Pod = { ...plain, spec: { ...plain.spec, nodeName: "n1", containers: [main], initContainers: [init] } };
  const tables = new Map<string, readonly unknown[]>([
    [nodes.name, [node]],
    [pods.name, [pod]],
  ]);
  const [row] = listNodes({ get: () => undefined, list: (kind) => (tables.get(kind.name) ?? []) as never });
  assert.equal(row?.cpuMillis.asked, 3000);
});

describe("how a node fares:", () => {
  const states = (state: NodeState["state"], held: readonly string[] = []): NodeStates => ({
    stateOf: () => ({ state, sinceMs: 0, words: `it is ${state}` }),
    brake: held.length === 0 ? undefined : { sinceMs: 0, zones: "cluster", nodes: held, words: "" },
    releaseBrake: () => [],
  });
  const rowOf = (node: Node, lifecycle?: NodeStates) => {
    const list = (kind: { name: string }) => (kind.name === nodes.name ? [node] : []) as never;
    const [row] = listNodes({ get: () => undefined, list }, lifecycle);
    assert.ok(row);
    return row;
  };
  const well = testNode({ name: "n1" }) as Node;
  const withConditions = (...conditions: Node["status"]["conditions"]): Node => ({
    ...well,
    status: { ...well.status, conditions },
  });

  test("its lease's word, in words and since when", () => {
    const { state, since, reason } = rowOf(well, states("suspect"));
    assert.deepEqual([state, since, reason], ["suspect", "1970-01-01T00:00:00Z", "it is suspect"]);
  });

  test("one that is heard and says itself that it is not ready is not ready", () => {
    const node = withConditions({ type: "Ready", status: "False", message: "no disk" });
    const { state, reason } = rowOf(node, states("ready"));
    assert.deepEqual([state, reason], ["not ready", "no disk"]);
  });

  test("without anybody who watches over it, what is stored", () => {
    assert.equal(rowOf(well).state, "ready");
    assert.equal(rowOf(withConditions()).state, "not ready");
  });

  test("what it says of itself, and that the brake holds it", () => {
    const ready = { type: "Ready", status: "True" } as const;
    const stalled = { type: "Healthy", status: "False", reason: "IOStalled", message: "slow" } as const;
    const row = rowOf(withConditions(ready, stalled), states("ready", ["n1"]));
    assert.deepEqual([row.state, row.health, row.held], ["ready", { word: "IOStalled", message: "slow" }, true]);
  });
});
