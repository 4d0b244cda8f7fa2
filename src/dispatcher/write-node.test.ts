import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "../model/event.ts";
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
type Labels = Readonly<Record<string, string>>;

const LATER = "2026-01-01T01:00:00Z";

/** Registers, lets somebody else change the node, registers again; gives what is stored then. */
async function afterwards(
  change: (node: Node) => Node,
  again: Partial<Node["status"]> = {},
  labels: readonly [first: Labels, then: Labels] = [{}, {}],
): Promise<Node> {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("node"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const draft = testNode({ name: "n1" });
  const ready = { type: "Ready", status: "True", lastTransitionTime: FIRST } as const;
  const told = { ...draft, status: { ...draft.status, conditions: [ready] } };
  const told1 = labelled(told, labels[0]);
  await store.update((tx) => writeNode(tx, told1));
  await store.update((tx) => tx.update(nodes, change(tx.get(nodes, "n1") as Node)));
  await store.update((tx) => writeNode(tx, labelled({ ...told, status: { ...told.status, ...again } }, labels[1])));
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

test("a link that begins to lose packets is an event of the node's, once, and over when the agent says no more of it", async () => {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("node"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const draft = testNode({ name: "n1" });
  const unsteady = (message: string) =>
    ({ type: "LinksSteady", status: "False", reason: "LinkUnsteady", message }) as const;
  const say = async (...conditions: readonly ReturnType<typeof unsteady>[]) => {
    await store.update((tx) => writeNode(tx, { ...draft, status: { ...draft.status, conditions } }));
    return store.list(events).map(({ type, reason, message }) => [type, reason, message]);
  };
  assert.deepEqual(await say(), []);
  const b = ["Warning", "LinkUnsteady", "probes to node b are lost"];
  for (let times = 0; times < 3; times++) assert.deepEqual(await say(unsteady("probes to node b are lost")), [b]);
  assert.deepEqual(await say(), [b]);
  assert.deepEqual(store.get(nodes, "n1")?.status.conditions, []);
  assert.deepEqual((await say(unsteady("probes to node c are lost"))).length, 2);
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

function labelled(node: Node, more: Labels): Node {
  return { ...node, metadata: { ...node.metadata, labels: { ...node.metadata.labels, ...more } } };
}

const setting = (more: Labels) => (node: Node) => labelled(node, more);
const same = (node: Node) => node;
const labelsAfter = async (...given: Parameters<typeof afterwards>) =>
  (await afterwards(...given)).metadata.labels ?? {};

test("a label that somebody set stays as it is, whatever its agent says", async () => {
  const labels = await labelsAfter(setting({ tier: "untrusted" }), {}, [{}, { tier: "vault" }]);
  assert.equal(labels.tier, "untrusted");
});

test("a label of the agent's that somebody changed is no longer the agent's", async () => {
  const labels = await labelsAfter(setting({ tier: "untrusted" }), {}, [{ tier: "vault" }, { tier: "vault" }]);
  assert.equal(labels.tier, "untrusted");
});

test("a label of the agent's that somebody took away stays away", async () => {
  const without = ({ metadata: { labels: { tier: _gone, ...labels } = {}, ...metadata }, ...node }: Node): Node => ({
    ...node,
    metadata: { ...metadata, labels },
  });
  assert.equal("tier" in (await labelsAfter(without, {}, [{ tier: "vault" }, { tier: "vault" }])), false);
});

test("a label of the agent's own changes and goes with its start", async () => {
  const labels = await labelsAfter(same, {}, [{ disk: "hdd", old: "yes" }, { disk: "ssd" }]);
  assert.equal(labels.disk, "ssd");
  assert.equal("old" in labels, false);
});

test("no agent takes another's host name, or a label that is for people alone", async () => {
  const told = { "kubernetes.io/hostname": "vault", "node-restriction.kubernetes.io/tier": "vault" };
  const labels = await labelsAfter(setting({ "kubernetes.io/hostname": "vault" }), {}, [told, told]);
  assert.deepEqual(labels, { "kubernetes.io/hostname": "n1" });
});

test("of what a node is made from, its agent gives the name, labels, annotations, taints and status, and nothing else", async () => {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("node"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const node = testNode({ name: "n1" });
  const more = { namespace: "kube-system", finalizers: ["x"], annotations: { own: "1", "styrmann.dev/away": "x" } };
  const metadata = { ...node.metadata, ...more };
  const draft = { ...node, kind: "Pod", apiVersion: "v7", metadata, spec: { unschedulable: true }, extra: 1 };
  await store.update((tx) => writeNode(tx, draft as unknown as Node));
  const made = store.get(nodes, "n1") as Node;
  assert.deepEqual([made.apiVersion, made.kind, made.spec], ["v1", "Node", {}]);
  assert.deepEqual(Object.keys(made).sort(), ["apiVersion", "kind", "metadata", "spec", "status"]);
  assert.equal(made.metadata.namespace, undefined);
  assert.equal(made.metadata.finalizers, undefined);
  assert.equal(made.metadata.annotations?.own, "1");
  assert.equal(made.metadata.annotations?.["styrmann.dev/away"], undefined);
});

test("what an agent alone says of its node's network is over when it says it no longer, also after it was started anew", async () => {
  const said = (type: string, status: "True" | "False") => ({ type, status, message: "x" }) as const;
  const node = await afterwards((before) => {
    const more = [
      said("NetworkUnavailable", "True"),
      said("NetworkWorking", "False"),
      said("example.com/Fan", "False"),
    ];
    return { ...before, status: { ...before.status, conditions: [...before.status.conditions, ...more] } };
  });
  assert.deepEqual(
    node.status.conditions.map(({ type }) => type),
    ["Ready", "example.com/Fan"],
  );
});
