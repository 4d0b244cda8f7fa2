import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "../model/event.ts";
import type { Draft, StoredObject } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { type JournalEntry, JournalRefusal } from "../store/journal.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { Scheduler } from "./scheduler.ts";
import { testNode, testPod } from "./test-objects.ts";

/** A disk that takes each batch when it is told to. */
class SlowJournal extends MemoryJournal {
  readonly #waiting: { readonly take: () => void; readonly refuse: () => void }[] = [];
  isSlow = false;

  get underWay(): number {
    return this.#waiting.length;
  }

  override append(entries: readonly JournalEntry[]): Promise<void> {
    if (!this.isSlow) return super.append(entries);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const refuse = () => reject(new JournalRefusal("the disk is full"));
    this.#waiting.push({ take: resolve, refuse });
    return promise.then(() => super.append(entries));
  }

  next(how: "take" | "refuse"): void {
    this.#waiting.shift()?.[how]();
  }
}

function draft<T extends StoredObject>(object: T): Draft<T> {
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Draft<T>;
}

async function open() {
  const [clock, random, journal] = [new ManualClock(), new SeededRandom("scheduler-ahead.test"), new SlowJournal()];
  const store = await Store.open({ kinds: [pods, nodes, events], journal, clock, random, log: silentLog });
  await store.update((tx) => void tx.create<Node>(nodes, draft(testNode({ name: "n", cpu: "1" }))));
  const scheduler = new Scheduler({ store, clock, random, log: silentLog });
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await clock.advance(1);
  };
  const create = (name: string) =>
    store.update((tx) => void tx.create<Pod>(pods, draft(testPod({ name, cpu: "600m" }))));
  const bound = () => store.list(pods).filter(({ spec }) => spec.nodeName !== undefined).length;
  scheduler.start();
  await settle();
  journal.isSlow = true;
  return { clock, journal, store, scheduler, settle, create, bound };
}

/** Two pods of 600m, of which one fits: the second becomes visible while the binding of the first is with the disk. */
async function twoPods() {
  const all = await open();
  const { journal, settle, create } = all;
  const created = create("a");
  await settle();
  void create("b");
  journal.next("take");
  await created;
  await settle();
  journal.next("take");
  await settle();
  assert.equal(journal.underWay, 1, "the binding of the first is on its way");
  return all;
}

test("pods are placed while earlier bindings are on their way to the disk, and count what those take", async () => {
  const { journal, store, scheduler, settle, bound } = await twoPods();
  assert.equal(scheduler.pendingCount, 1, "there is no room for the second");
  let words = "";
  void store.update((tx) => {
    const [second] = tx.list(pods).filter(({ spec }) => spec.nodeName === undefined);
    words = second?.status.conditions?.find(({ type }) => type === "PodScheduled")?.message ?? "";
  });
  assert.match(words, /needs 600m CPU, 400m of 1 free/, "it was refused while the first was still on its way");
  journal.isSlow = false;
  journal.next("take");
  await settle();
  assert.equal(bound(), 1);
  await scheduler.stop();
  await store.close();
});

test("when a batch of bindings is lost, what was placed on top of it is placed anew", async () => {
  const { clock, journal, store, scheduler, settle, bound } = await twoPods();
  journal.isSlow = false;
  journal.next("refuse");
  await settle();
  assert.deepEqual({ bound: bound(), bindings: scheduler.attempts.bound }, { bound: 0, bindings: 0 });
  assert.equal(scheduler.pendingCount, 2);
  await clock.advance(1_000);
  await settle();
  assert.equal(bound(), 1);
  assert.ok(scheduler.attempts.undone >= 2, "both were tried");
  await scheduler.stop();
  await store.close();
});
