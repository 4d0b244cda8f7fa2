import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelKinds } from "../model/kinds.ts";
import { nodes } from "../model/node.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { cordonTaint } from "./cordon-taint.ts";

test("a cordoned node has Kubernetes' taint for it, beside the taints of others, and an open one has not", async () => {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("cordon"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  await store.update((tx) => tx.create(nodes, testNode({ name: "n1", taints: [{ key: "a", effect: "NoSchedule" }] })));
  const taintsWhen = async (unschedulable: boolean) => {
    await store.update((tx) => {
      const node = tx.get(nodes, "n1");
      if (node) tx.update(nodes, { ...node, spec: { ...node.spec, unschedulable } });
      cordonTaint.reconcile("n1", tx, { random, log });
    });
    return store.get(nodes, "n1")?.spec.taints?.map(({ key, effect }) => `${key}:${effect}`);
  };
  assert.deepEqual(await taintsWhen(true), ["a:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"]);
  assert.deepEqual(await taintsWhen(true), ["a:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"]);
  assert.deepEqual(await taintsWhen(false), ["a:NoSchedule"]);
});
