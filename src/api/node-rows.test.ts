import assert from "node:assert/strict";
import { test } from "node:test";
import { type Node, nodes } from "../model/node.ts";
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
