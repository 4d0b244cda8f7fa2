import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { defineKind, type ObjectMeta } from "../model/meta.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";
import { type Controller, type Requeue, wakes } from "./controller.ts";
import { ControllerRunner } from "./runner.ts";

interface Thing {
  readonly apiVersion: string;
  readonly kind: "Thing";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly owner: string };
}

const things = defineKind<Thing>("Thing", "v1", "cluster");
const thing = (name: string, owner: string) => ({
  apiVersion: "v1",
  kind: "Thing" as const,
  metadata: { name },
  spec: { owner },
});

/** A clock on which work takes the time it is said to take. */
class WorkingClock extends ManualClock {
  #workedMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.#workedMs;
  }

  work(ms: number): void {
    this.#workedMs += ms;
  }
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function open(controllers: readonly Controller[], clock = new WorkingClock()) {
  const [random, journal, log] = [new SeededRandom("runner"), new MemoryJournal(), silentLog];
  const store = await Store.open({ kinds: [things], journal, clock, random, log });
  const runner = new ControllerRunner({ store, controllers, clock, random, log });
  cleanups.push(async () => {
    await runner.stop();
    await store.close();
  });
  const add = (...all: readonly [name: string, owner: string][]) =>
    store.update((tx) => {
      for (const [name, owner] of all) tx.create<Thing>(things, thing(name, owner));
    });
  return { store, runner, clock, journal, add };
}

/** One that is woken with the owners of things. */
function ownersController(name: string, reconcile: (key: string, tx: Tx) => Requeue | undefined): Controller {
  return { name, wakers: [wakes(things, ({ spec }) => [spec.owner])], reconcile };
}

describe("controller runner", () => {
  test("everything there is is looked at once at the start", async () => {
    const seen: string[] = [];
    const { runner, clock, add } = await open([ownersController("c", (key) => void seen.push(key))]);
    await add(["a", "one"], ["b", "two"], ["c", "one"]);
    runner.start();
    await clock.advance(0);
    assert.deepEqual(seen, ["one", "two"]);
  });

  test("an object that changes hands wakes its new owner and its old one", async () => {
    const seen: string[] = [];
    const { store, runner, clock, add } = await open([ownersController("c", (key) => void seen.push(key))]);
    await add(["a", "old"]);
    runner.start();
    await clock.advance(0);
    seen.length = 0;
    await store.update((tx) => {
      const before = tx.get(things, "a") as Thing;
      tx.update(things, { ...before, spec: { owner: "new" } });
    });
    await clock.advance(0);
    assert.deepEqual(seen.toSorted(), ["new", "old"]);
  });

  test("what fails is tried again after 200 ms, then twice as long each time, up to 30 s; a success starts the count anew", async () => {
    const at: number[] = [];
    let fails = true;
    const clock = new WorkingClock();
    const failing = ownersController("c", () => {
      at.push(clock.monotonic());
      if (fails) throw new Error("not yet");
      return undefined;
    });
    const { runner, store, add } = await open([failing], clock);
    await add(["a", "one"]);
    runner.start();
    await clock.advance(120_000);
    const waits = at.slice(1).map((ms, i) => ms - (at[i] ?? 0));
    assert.deepEqual(waits.slice(0, 10), [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    fails = false;
    await clock.advance(30_000);
    const tries = at.length;
    await clock.advance(300_000);
    assert.equal(at.length, tries, "what has succeeded is left alone");
    fails = true;
    await store.update((tx) => tx.create(things, thing("b", "one")));
    await clock.advance(0);
    await clock.advance(200);
    assert.equal(at.length, tries + 2, "the first wait after a success is the short one again");
  });

  test("what a full disk undid is tried again too", async () => {
    const { runner, store, clock, journal, add } = await open([
      ownersController("c", (_key, tx) => {
        if (!tx.get(things, "made")) tx.create<Thing>(things, thing("made", "one"));
        return undefined;
      }),
    ]);
    await add(["a", "one"]);
    journal.refuseWith = "the disk is full";
    runner.start();
    await clock.advance(100);
    assert.equal(store.get(things, "made"), undefined);
    journal.refuseWith = undefined;
    await clock.advance(200);
    assert.ok(store.get(things, "made"));
  });

  test("a key that takes long is not reconciled for every change: ten times what it took is left to others", async () => {
    const at: number[] = [];
    const clock = new WorkingClock();
    const slow = ownersController("c", () => {
      at.push(clock.monotonic());
      clock.work(50);
      return undefined;
    });
    const { runner, store, add } = await open([slow], clock);
    await add(["a", "one"]);
    runner.start();
    await clock.advance(0);
    for (let n = 0; n < 100; n++) {
      await store.update((tx) => tx.create(things, thing(`more-${n}`, "one")));
      await clock.advance(10);
    }
    const settled = runner.settle();
    await clock.advance(1000);
    await settled;
    assert.ok(at.length >= 3 && at.length <= 5, `reconciled ${at.length} times for 101 changes in a second`);
    assert.ok((at.at(-1) ?? 0) > 1000, "the last change was seen");
  });

  test("a key that asks to be looked at again is, then", async () => {
    const at: number[] = [];
    const clock = new WorkingClock();
    const asking = ownersController("c", () => {
      at.push(clock.monotonic());
      return at.length < 3 ? { afterMs: 5000 } : undefined;
    });
    const { runner, add } = await open([asking], clock);
    await add(["a", "one"]);
    runner.start();
    await clock.advance(60_000);
    assert.deepEqual(at, [0, 5000, 10_000]);
  });

  test("after 10 ms of work others have a turn before it goes on", async () => {
    const order: string[] = [];
    const clock = new WorkingClock();
    const slow = ownersController("c", (key) => {
      if (order.length === 0) clock.setTimer(0, () => order.push("somebody else"));
      order.push(key);
      clock.work(6);
      return undefined;
    });
    const { runner, add } = await open([slow], clock);
    await add(["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"]);
    runner.start();
    await clock.advance(0);
    assert.deepEqual(order, ["1", "2", "somebody else", "3", "4"]);
  });

  test("a slice begins after the lane that was served last, so no controller waits for all of another's work", async () => {
    const order: string[] = [];
    const clock = new WorkingClock();
    const lane = (name: string, ms: number) =>
      ownersController(name, (key) => {
        order.push(`${name} ${key}`);
        clock.work(ms);
        return undefined;
      });
    const { runner, add } = await open([lane("busy", 11), lane("small", 1), lane("last", 1)], clock);
    await add(["a", "1"], ["b", "2"], ["c", "3"]);
    runner.start();
    await clock.advance(0);
    const small = ["small 1", "small 2", "small 3"];
    const last = ["last 1", "last 2", "last 3"];
    assert.deepEqual(order, ["busy 1", ...small, ...last, "busy 2", "busy 3"]);
  });

  test("a controller that uses up every slice with one key and wakes itself does not make the next one's turn pass", async () => {
    const order: string[] = [];
    const clock = new WorkingClock();
    const greedy = ownersController("greedy", (_key, tx) => {
      order.push("greedy");
      clock.work(11);
      if (order.length < 20) tx.create<Thing>(things, thing(`more-${order.length}`, "one"));
      return undefined;
    });
    const modest = ownersController("modest", () => void order.push("modest"));
    const { runner, add } = await open([greedy, modest], clock);
    await add(["a", "one"]);
    runner.start();
    // What takes so long has its changes gathered.
    await clock.advance(200);
    assert.deepEqual(order.slice(0, 3), ["greedy", "modest", "greedy"]);
  });
});
