import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Draft, StoredObject } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { type Effect, StoreMirror } from "./store-mirror.ts";
import { testNode, testPod } from "./test-objects.ts";

async function stage() {
  const clock = new ManualClock();
  const random = new SeededRandom("store-mirror.test");
  const journal = new MemoryJournal();
  const store = await Store.open({ kinds: [pods, nodes], journal, clock, random, log: silentLog });
  await store.update((tx) => tx.create<Node>(nodes, draft(testNode({ name: "n1" }))));
  const mirror = new StoreMirror(store, "spread", silentLog);
  mirror.followNode("n1");
  /** A change that is on its way to the disk when a round looks. */
  const seenEarly = async (change: () => Promise<unknown>): Promise<Effect> => {
    const written = change();
    let effect: Effect = "none";
    const looked = store.update((tx) => {
      effect = mirror.catchUp(tx);
    });
    await Promise.all([written, looked]);
    return effect;
  };
  const cordon = (unschedulable: boolean) =>
    store.update((tx) => {
      const node = tx.get(nodes, "n1") as Node;
      return tx.update(nodes, { ...node, spec: { ...node.spec, unschedulable } });
    });
  return { store, mirror, seenEarly, cordon };
}

function draft<T extends StoredObject>(object: T): Draft<T> {
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Draft<T>;
}

describe("the scheduler's mirror of the store", () => {
  test("what a round has seen before it was on the disk is no news when it is", async () => {
    const { mirror, seenEarly, cordon } = await stage();
    assert.equal(await seenEarly(() => cordon(true)), "more room");
    assert.equal(mirror.followNode("n1"), "none");
  });

  test("a change after that is news, also when no round has looked since", async () => {
    const { mirror, seenEarly, cordon } = await stage();
    await seenEarly(() => cordon(true));
    mirror.followNode("n1");
    await cordon(false);
    assert.equal(mirror.followNode("n1"), "more room");
  });

  test("so is the end of a pod that a round has seen early", async () => {
    const { store, mirror, seenEarly } = await stage();
    const pod = { ...testPod({ name: "a", app: "web" }) };
    const bound = { ...pod, spec: { ...pod.spec, nodeName: "n1" } };
    await seenEarly(() => store.update((tx) => tx.create<Pod>(pods, draft(bound))));
    assert.equal(mirror.followPod("default/a"), "none");
    await store.update((tx) => tx.remove(pods, "default/a"));
    assert.equal(mirror.followPod("default/a"), "more room");
  });

  test("a node that cannot be read takes no pods, and stops nobody", async () => {
    const { store, mirror } = await stage();
    const bad = draft(testNode({ name: "bad" }));
    await store.update((tx) => tx.create<Node>(nodes, { ...bad, spec: { taints: [null] } } as unknown as Draft<Node>));
    assert.equal(mirror.followNode("bad"), "none");
    assert.equal(mirror.index.node("bad"), undefined);
    assert.notEqual(mirror.index.node("n1"), undefined);
  });
});
