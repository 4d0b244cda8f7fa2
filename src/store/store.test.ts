import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { defineKind, type ObjectMeta } from "../model/meta.ts";
import { SystemClock } from "../seams/clock.ts";
import { silentLog } from "../seams/log.ts";
import { SeededRandom } from "../seams/random.ts";
import { type JournalEntry, JournalRefusal } from "./journal.ts";
import { MemoryJournal } from "./journals/memory.ts";
import { Store } from "./store.ts";
import { type Change, type Reader, sameJson, type Tx } from "./transaction.ts";

interface Thing {
  readonly apiVersion: string;
  readonly kind: "Thing";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly colour: string };
}

const things = defineKind<Thing>("Thing", "v1", "namespaced", { colour: ({ spec }) => [spec.colour] });
const draft = (name: string, colour = "red") => ({
  apiVersion: "v1",
  kind: "Thing" as const,
  metadata: { name, namespace: "n" },
  spec: { colour },
});

const open = (journal = new MemoryJournal(), historyLimit?: number) =>
  Store.open({
    kinds: [things],
    journal,
    clock: new SystemClock(),
    random: new SeededRandom(1),
    log: silentLog,
    ...(historyLimit === undefined ? {} : { historyLimit }),
  });

/** A journal that holds every batch back until it is let go. */
class SlowJournal extends MemoryJournal {
  readonly #held: { go: () => void; fail: (error: Error) => void }[] = [];

  override async append(entries: readonly JournalEntry[]): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#held.push({ go: resolve, fail: reject }));
    await super.append(entries);
  }

  async next(): Promise<{ go: () => void; fail: (error: Error) => void }> {
    for (;;) {
      const held = this.#held.shift();
      if (held) return held;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A journal that takes a few turns of the event loop for each batch. */
class LazyJournal extends MemoryJournal {
  override async append(entries: readonly JournalEntry[]): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    await super.append(entries);
  }
}

describe("store", () => {
  test("an objection to what is not durable waits, and is the journal's when that is lost", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const create = () => store.update((tx) => tx.create(things, draft("a")).metadata.name);
    const [first, second] = [create(), create()];
    const outcomes = Promise.allSettled([first, second]);
    (await journal.next()).fail(new JournalRefusal("the disk is full"));
    for (const outcome of await outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.match(outcome.reason.message, /the store cannot write: the disk is full/);
    }
    const [third, fourth] = [create(), create()];
    (await journal.next()).go();
    assert.equal(await third, "a");
    await assert.rejects(fourth, /already exists/);
  });

  test("nothing is visible before the journal has it, and then everything of the transaction at once", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const done = store.update((tx) => [tx.create(things, draft("a")), tx.create(things, draft("b"))]);
    const batch = await journal.next();
    assert.equal(store.list(things).length, 0);
    assert.equal(store.revision, 0);
    batch.go();
    await done;
    assert.equal(store.list(things).length, 2);
    assert.equal(store.revision, 2);
  });

  test("a transaction sees what is on its way to the disk", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const first = store.update((tx) => tx.create(things, draft("a")));
    const held = await journal.next();
    const refused = assert.rejects(
      store.update((tx) => tx.create(things, draft("a"))),
      /already exists/,
    );
    const seen = store.update((tx) => tx.by(things, "colour", "red").length);
    held.go();
    await first;
    await refused;
    assert.equal(await seen, 1);
  });

  test("a version that was laid over one on its way to the disk is still seen once the earlier one is there", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const made = store.update((tx) => tx.create(things, draft("a", "red")));
    const first = await journal.next();
    const changed = store.update((tx) => {
      const before = tx.get(things, "n/a") as Thing;
      tx.update(things, { ...before, spec: { colour: "blue" } });
    });
    first.go();
    await made;
    const second = await journal.next();
    let seen: string | undefined;
    const read = store.update((tx) => {
      seen = tx.get(things, "n/a")?.spec.colour;
    });
    assert.equal(seen, "blue");
    second.go();
    await Promise.all([changed, read]);
    assert.equal(store.get(things, "n/a")?.spec.colour, "blue");
  });

  test("what a transaction has only read is told when the disk has it, and refused when the disk refuses it", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const made = store.update((tx) => tx.create(things, draft("a")));
    const first = await journal.next();
    let told = false;
    const read = store
      .update((tx) => tx.list(things).length)
      .finally(() => {
        told = true;
      });
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told, false, "it was told before it was on the disk");
    first.go();
    await made;
    assert.equal(await read, 1);
    const lost = store.update((tx) => tx.create(things, draft("b")));
    const second = await journal.next();
    const lostRead = store.update((tx) => tx.list(things).length);
    const { JournalRefusal } = await import("./journal.ts");
    second.fail(new JournalRefusal("the disk is full"));
    await assert.rejects(lost, /disk is full/);
    await assert.rejects(lostRead, /disk is full/);
  });

  test("transactions made while a batch is written share the next one", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const all = [store.update((tx) => tx.create(things, draft("first")))];
    const first = await journal.next();
    for (let n = 0; n < 50; n++) all.push(store.update((tx) => tx.create(things, draft(`t${n}`))));
    first.go();
    (await journal.next()).go();
    await Promise.all(all);
    assert.equal(store.count(things), 51);
  });

  test("a throw inside undoes everything the transaction did", async () => {
    const store = await open();
    await assert.rejects(
      store.update((tx) => {
        tx.create(things, draft("a"));
        throw new Error("no");
      }),
      /no/,
    );
    assert.equal(await store.update((tx) => tx.get(things, "n/a")), undefined);
    assert.equal(store.revision, 0);
  });

  test("when the journal refuses, the batch and all that was built on it are undone, and later writes work", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const lost = store.update((tx) => tx.create(things, draft("a")));
    const held = await journal.next();
    const built = store.update((tx) => tx.create(things, draft("b")));
    const { JournalRefusal } = await import("./journal.ts");
    held.fail(new JournalRefusal("the disk is full"));
    await assert.rejects(lost, /disk is full.*nothing was changed/);
    await assert.rejects(built, /disk is full/);
    assert.equal(store.refusal, "the disk is full");
    assert.equal(store.list(things).length, 0);
    const again = store.update((tx) => tx.create(things, draft("a")));
    (await journal.next()).go();
    await again;
    assert.equal(store.refusal, undefined);
    assert.equal(store.revision, 1);
  });

  test("a stale resourceVersion is a conflict, an identical object is no change", async () => {
    const store = await open();
    const made = await store.update((tx) => tx.create(things, draft("a")));
    await store.update((tx) => tx.update(things, { ...made, spec: { colour: "blue" } }));
    await assert.rejects(
      store.update((tx) => tx.update(things, { ...made, spec: { colour: "green" } })),
      /modified/,
    );
    const { revision } = store;
    await store.update((tx) =>
      tx.update(things, { ...made, metadata: { ...made.metadata, resourceVersion: "" }, spec: { colour: "blue" } }),
    );
    assert.equal(store.revision, revision);
    assert.equal(store.get(things, "n/a")?.metadata.generation, 2);
  });

  test("a watcher that falls behind the history is told to list again", async () => {
    const store = await open(new MemoryJournal(), 10);
    for (let n = 0; n < 40; n++) await store.update((tx) => tx.create(things, draft(`t${n}`)));
    await assert.rejects(store.watch({ since: 1 }).next(), /too old resource version/);
  });

  test("objects and revision survive a reopen", async () => {
    const journal = new MemoryJournal();
    const store = await open(journal);
    await store.update((tx) => tx.create(things, draft("a")));
    await store.update((tx) => tx.remove(things, "n/a"));
    await store.update((tx) => tx.create(things, draft("b")));
    const again = await open(journal);
    assert.equal(again.revision, 3);
    assert.deepEqual(again.list(things), store.list(things));
  });

  test("property: indexes, reads and watches agree with a plain map after any transactions, some of them refused", async () => {
    const command = fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      colour: fc.constantFrom("red", "blue", "green"),
      action: fc.constantFrom("put", "remove", "abort", "refuse"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
        const journal = new MemoryJournal();
        const store = await open(journal);
        const expected = new Map<string, string>();
        for (const { name, colour, action } of commands) {
          journal.refuseWith = action === "refuse" ? "no" : undefined;
          const done = store.update((tx) => {
            const before = tx.get(things, `n/${name}`);
            if (action === "remove") tx.remove(things, `n/${name}`);
            else if (before) tx.update(things, { ...before, spec: { colour } });
            else tx.create(things, draft(name, colour));
            if (action === "abort") throw new Error("abort");
          });
          const taken = await done.then(
            () => true,
            () => false,
          );
          if (!taken) continue;
          if (action === "remove") expected.delete(name);
          else expected.set(name, colour);
        }
        assert.deepEqual(
          new Map(store.list(things).map(({ metadata, spec }) => [metadata.name, spec.colour])),
          new Map([...expected].sort()),
        );
        for (const colour of ["red", "blue", "green"]) {
          const names = [...expected].filter(([, each]) => each === colour).map(([name]) => name);
          assert.deepEqual(
            store.by(things, "colour", colour).map(({ metadata }) => metadata.name),
            names.sort(),
          );
        }
        assert.deepEqual(replay(await allChanges(store)), expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a transaction's queries", () => {
  test("a removal that is not on the disk yet is not taken for an earlier one that is", async () => {
    const journal = new SlowJournal();
    const store = await open(journal);
    const make = () => store.update((tx) => tx.create(things, draft("a")));
    const remove = () => store.update((tx) => tx.remove(things, "n/a"));
    const early = [make(), remove(), make()];
    const first = await journal.next();
    const late = remove();
    first.go();
    await Promise.all(early);
    const second = await journal.next();
    let seen: unknown;
    const read = store.update((tx) => {
      seen = tx.get(things, "n/a");
    });
    assert.equal(seen, undefined);
    second.go();
    await Promise.all([late, read]);
  });

  test("property: by key, by index and all together they see committed, pending and own versions as one plain map", async () => {
    const change = fc.record({
      name: fc.constantFrom("a", "b", "c", "d", "e"),
      colour: fc.constantFrom("red", "blue", "green", undefined),
    });
    const step = fc.record({ changes: fc.array(change, { maxLength: 4 }), turns: fc.nat({ max: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const store = await open(new LazyJournal());
        const expected = new Map<string, string>();
        const done: Promise<unknown>[] = [];
        for (const { changes, turns } of steps) {
          for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
          const put = (tx: Tx, name: string, colour: string) => {
            const before = tx.get(things, `n/${name}`);
            if (before) tx.update(things, { ...before, spec: { colour } });
            else tx.create(things, draft(name, colour));
            expected.set(name, colour);
          };
          const change = (tx: Tx) => {
            assertSees(tx, expected);
            for (const { name, colour } of changes) {
              if (colour !== undefined) put(tx, name, colour);
              else if (expected.delete(name)) tx.remove(things, `n/${name}`);
              assertSees(tx, expected);
            }
          };
          done.push(store.update(change));
        }
        await Promise.all(done);
        assertSees(store, expected);
      }),
      { numRuns: 100 },
    );
  });
});

function assertSees(reader: Reader, expected: ReadonlyMap<string, string>): void {
  const seen = reader.list(things).map(({ metadata, spec }) => [metadata.name, spec.colour]);
  assert.deepEqual(seen, [...expected].sort());
  for (const colour of ["red", "blue", "green"]) {
    const names = [...expected].filter(([, each]) => each === colour).map(([name]) => name);
    assert.deepEqual(
      reader.by(things, "colour", colour).map(({ metadata }) => metadata.name),
      names.sort(),
    );
  }
}

async function allChanges(store: Store): Promise<readonly Change[]> {
  if (store.revision === 0) return [];
  const { value } = await store.watch({ since: 0 }).next();
  return value ?? [];
}

/** What a watcher who saw every change once, in order, believes. Complains of a gap or a repetition. */
function replay(changes: readonly Change[]): Map<string, string> {
  const seen = new Map<string, string>();
  let last = 0;
  for (const { type, object, revision } of changes) {
    assert.ok(revision > last);
    last = revision;
    const { name } = object.metadata;
    assert.equal(seen.has(name), type !== "added");
    if (type === "removed") seen.delete(name);
    else seen.set(name, (object as Thing).spec.colour);
  }
  return seen;
}

test("what cannot be written as JSON fails its author, and nobody else of the batch", async () => {
  const store = await open();
  let deep: unknown = 1;
  for (let level = 0; level < 50_000; level++) deep = [deep];
  const bad = { ...draft("bad"), deep };
  const [first, refused, second] = await Promise.allSettled([
    store.update((tx) => tx.create(things, draft("a"))),
    store.update((tx) => tx.create(things, bad)),
    store.update((tx) => tx.create(things, draft("b"))),
  ]);
  assert.deepEqual([first.status, refused.status, second.status], ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(
    store.list(things).map(({ metadata }) => metadata.name),
    ["a", "b"],
  );
});

test("two values that nest very deep are told as different, without an end of the stack", () => {
  const deep = () => {
    let value: unknown = 1;
    for (let level = 0; level < 50_000; level++) value = [value];
    return value;
  };
  assert.equal(sameJson(deep(), deep()), false);
});

describe("a journal with limits", () => {
  class SmallJournal extends MemoryJournal {
    readonly maxRowBytes = 400;
    readonly preferredBatchBytes = 1_000;
    readonly batches: number[] = [];

    override async append(entries: readonly JournalEntry[]): Promise<void> {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      this.batches.push(entries.length);
      await super.append(entries);
    }
  }
  const create = (store: Store, name: string, colour: string) =>
    store.update((tx) => tx.create(things, draft(name, colour)));

  test("an object that it would not take is refused to its author alone, counted in bytes", async () => {
    const store = await open(new SmallJournal());
    const [large, neighbour] = await Promise.allSettled([
      create(store, "large", "ä".repeat(100)),
      create(store, "neighbour", "a".repeat(100)),
    ]);
    assert.equal(neighbour?.status, "fulfilled");
    assert.ok(large?.status === "rejected" && large.reason.reason === "TooLarge", JSON.stringify(large));
    assert.match(large.reason.message, /Thing n\/large would have \d+ bytes, and the store takes at most 400/);
  });

  test("what has gathered is divided between whole transactions, and none is left behind", async () => {
    const journal = new SmallJournal();
    const store = await open(journal);
    const names = Array.from({ length: 40 }, (_, n) => `t${n}`);
    await Promise.all(names.map((name) => create(store, name, "red")));
    await store.update((tx) => {
      for (const name of names) tx.remove(things, `n/${name}`);
    });
    assert.equal(journal.batches.at(-1), 40, "one transaction stays whole");
    assert.ok(Math.max(...journal.batches.slice(0, -1)) <= 5, `batches of ${journal.batches}`);
    assert.equal(store.revision, 80);
    assert.deepEqual(await journal.load(), { revision: 80, rows: [] });
  });
});
