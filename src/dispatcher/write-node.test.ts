import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelKinds } from "../model/kinds.ts";
import { type Node, nodes } from "../model/node.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { writeNode } from "./write-node.ts";

const FIRST = "2026-01-01T00:00:00Z";
const LATER = "2026-01-01T01:00:00Z";

/** Registers, lets somebody else change the node, registers again; gives what is stored then. */
async function afterwards(change: (node: Node) => Node, again: Partial<Node["status"]> = {}): Promise<Node> {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("node"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const draft = testNode({ name: "n1" });
  const ready = { type: "Ready", status: "True", lastTransitionTime: FIRST } as const;
  const told = { ...draft, status: { ...draft.status, conditions: [ready] } };
  await store.update((tx) => writeNode(tx, told));
  await store.update((tx) => tx.update(nodes, change(tx.get(nodes, "n1") as Node)));
  await store.update((tx) => writeNode(tx, { ...told, status: { ...told.status, ...again } }));
  return store.get(nodes, "n1") as Node;
}

test("a registration keeps cordon, taints and labels that others set", async () => {
  const taint = { key: "node.kubernetes.io/unreachable", effect: "NoExecute" } as const;
  const node = await afterwards((before) => ({
    ...before,
    metadata: { ...before.metadata, labels: { ...before.metadata.labels, given: "yes" } },
    spec: { unschedulable: true, taints: [taint] },
  }));
  assert.equal(node.metadata.labels?.given, "yes");
  assert.deepEqual(node.spec, { unschedulable: true, taints: [taint] });
});

test("a registration keeps resources that people added, and brings the agent's own up to date", async () => {
  const add = (amounts: Readonly<Record<string, string>>) => ({ ...amounts, "example.com/gpu": "2" });
  const node = await afterwards(
    (before) => ({
      ...before,
      status: { ...before.status, capacity: add(before.status.capacity), allocatable: add(before.status.allocatable) },
    }),
    { capacity: { cpu: "8" }, allocatable: { cpu: "7" } },
  );
  assert.equal(node.status.capacity["example.com/gpu"], "2");
  assert.equal(node.status.allocatable["example.com/gpu"], "2");
  assert.equal(node.status.capacity.cpu, "8");
  assert.equal(node.status.allocatable.cpu, "7");
});

test("a registration keeps conditions that others own", async () => {
  const healthy = { type: "Healthy", status: "False", reason: "IOStalled" } as const;
  const node = await afterwards((before) => ({
    ...before,
    status: { ...before.status, conditions: [...before.status.conditions, healthy] },
  }));
  assert.deepEqual(node.status.conditions.at(-1), healthy);
});

test("a node that the control plane calls unreachable is ready again when its lease says so, not when it registers", async () => {
  const unknown = { type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" } as const;
  const node = await afterwards((before) => ({ ...before, status: { ...before.status, conditions: [unknown] } }));
  assert.deepEqual(node.status.conditions, [unknown]);
});

test("a condition that others took away and gave back says when that was", async () => {
  const node = await afterwards((before) => ({
    ...before,
    status: { ...before.status, conditions: [{ type: "Ready", status: "True", lastTransitionTime: LATER }] },
  }));
  assert.equal(node.status.conditions[0]?.lastTransitionTime, LATER);
});
