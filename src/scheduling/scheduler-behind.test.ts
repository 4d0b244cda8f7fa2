import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { events } from "../model/event.ts";
import type { Draft, StoredObject } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";
import { Scheduler } from "./scheduler.ts";
import { testNode, testPod } from "./test-objects.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Every look at the time takes a millisecond, so that rounds are short and the watch is followed in many slices. */
class BusyClock extends ManualClock {
  #spentMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.#spentMs++;
  }
}

async function open() {
  const clock = new BusyClock();
  const random = new SeededRandom("scheduler-behind.test");
  const store = await Store.open({
    ...{ kinds: [pods, nodes, events], journal: new MemoryJournal(), clock, random, log: silentLog },
  });
  const scheduler = new Scheduler({ store, clock, random, log: silentLog });
  closing.push(async () => {
    await scheduler.stop();
    await store.close();
  });
  return { clock, store, scheduler };
}

function draft<T extends StoredObject>(object: T): Draft<T> {
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Draft<T>;
}

const cpuOf = ({ spec }: Pod) => Number.parseInt(spec.containers[0]?.resources?.requests?.cpu ?? "0", 10);

test("nothing is placed while what is committed has not been followed to its end: others bind pods, too", async () => {
  const { clock, store, scheduler } = await open();
  const names = Array.from({ length: 20 }, (_, at) => `n${at}`);
  await store.update((tx) => {
    for (const name of names) tx.create<Node>(nodes, draft(testNode({ name, cpu: "1" })));
    tx.create<Node>(nodes, draft(testNode({ name: "far", cpu: "100", cordoned: true })));
    for (const [at] of names.entries()) tx.create<Pod>(pods, draft(testPod({ name: `p${at}`, cpu: "600m" })));
  });
  const near = () => store.list(pods).filter(({ spec }) => spec.nodeName !== undefined && spec.nodeName !== "far");
  let free: readonly string[] = [];
  /** Between two rounds: pods that somebody else has bound, most of them elsewhere, so that following them takes a while. */
  const interfere = () => {
    if (near().length === 0) return void clock.setTimer(0, interfere);
    free = names.filter((name) => near().every(({ spec }) => spec.nodeName !== name));
    const bind = (tx: Tx, name: string, nodeName: string) =>
      tx.create<Pod>(pods, draft(testPod({ name, cpu: "600m", spec: { nodeName } })));
    void store.update((tx) => {
      for (let at = 0; at < 60; at++) bind(tx, `elsewhere-${at}`, "far");
      for (const name of free) bind(tx, `theirs-${name}`, name);
    });
  };
  interfere();
  scheduler.start();
  for (let step = 0; step < 100; step++) await clock.advance(1_000);
  assert.ok(free.length > 0 && free.length < names.length, "it was between two rounds");
  for (const name of names) {
    const used = near().filter(({ spec }) => spec.nodeName === name);
    assert.ok(used.reduce((sum, pod) => sum + cpuOf(pod), 0) <= 1_000, `${name}: ${used.length} pods of 600m on 1 CPU`);
  }
});
