import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { events } from "../model/event.ts";
import { keyOf } from "../model/meta.ts";
import { nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { BindingRound } from "./binding-round.ts";
import { PendingPods } from "./pending-pods.ts";
import { StoreMirror } from "./store-mirror.ts";
import { type TestPod, testNode, testPod } from "./test-objects.ts";

async function stage(...all: readonly TestPod[]) {
  const [clock, random, log, journal] = [new ManualClock(), new SeededRandom(1), silentLog, new MemoryJournal()];
  const store = await Store.open({ kinds: [pods, nodes, events], journal, clock, random, log });
  await store.update((tx) => {
    tx.create(nodes, testNode({ name: "n1", cpu: "1" }));
    for (const pod of all) tx.create(pods, testPod(pod));
  });
  const mirror = new StoreMirror(store, "spread", log);
  mirror.followNode("n1");
  const pending = new PendingPods();
  const offer = (pod: Pod) => pending.offer(pod, (one) => mirror.readableDemandOf(one));
  for (const pod of store.list(pods)) offer(pod);
  const nodeOf = (name: string) => store.get(pods, `default/${name}`)?.spec.nodeName;
  return { store, journal, mirror, pending, nodeOf, round: () => new BindingRound(mirror, pending, clock, random) };
}

describe("a round of bindings", () => {
  test("that the disk refused leaves no pod on any node, and finds the room again", async () => {
    const { store, journal, mirror, nodeOf, round } = await stage({ name: "a", cpu: "900m" });
    journal.refuseWith = "the disk is full";
    const lost = round();
    await assert.rejects(
      store.update((tx) => lost.run(tx)),
      /disk is full/,
    );
    lost.undo();
    assert.deepEqual(
      [...mirror.index.nodes].map((node) => [node.name, node.pods.size]),
      [["n1", 0]],
    );
    journal.refuseWith = undefined;
    await store.update((tx) => round().run(tx));
    assert.equal(nodeOf("a"), "n1");
  });

  test("that was lost gives its pods their turn again, in their order", async () => {
    const { store, mirror, pending, round } = await stage({ name: "a", cpu: "600m" }, { name: "b", cpu: "600m" });
    const lost = round();
    await assert.rejects(
      store.update((tx) => {
        lost.run(tx);
        throw new Error("lost");
      }),
    );
    lost.undo();
    assert.equal(pending.size, 2);
    await store.update((tx) => round().run(tx));
    const placed = store.list(pods).filter(({ spec }) => spec.nodeName !== undefined);
    assert.deepEqual(placed.map(keyOf), ["default/a"]);
    assert.equal([...mirror.index.nodes][0]?.pods.size, 1);
  });

  test("that sees a node become free before that is on the disk wakes who waits for it: the commit is no news then", async () => {
    const { store, mirror, pending, round } = await stage({ name: "a" });
    const setCordon = (unschedulable: boolean) =>
      store.update((tx) => {
        const node = tx.get(nodes, "n1");
        if (node) tx.update(nodes, { ...node, spec: { ...node.spec, unschedulable } });
      });
    await setCordon(true);
    mirror.followNode("n1");
    await store.update((tx) => round().run(tx));
    assert.equal(pending.queueDue(60_000), undefined, "it was refused, and waits for a change");
    const uncordoned = setCordon(false);
    const seen = store.update((tx) => round().run(tx));
    await Promise.all([uncordoned, seen]);
    assert.equal(mirror.followNode("n1"), "none");
    pending.queueDue(60_000);
    assert.ok(pending.hasNext, "the pod is tried again");
  });
});
