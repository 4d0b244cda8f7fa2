import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ApiError } from "../model/errors.ts";
import { defineKind, type ObjectMeta } from "../model/meta.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import type { Leadership } from "./journal.ts";
import { SharedMemory } from "./journals/shared-memory.ts";
import { Store } from "./store.ts";
import type { Change } from "./transaction.ts";

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

/** One journal, and the processes that share it. */
class Cell {
  readonly clock = new ManualClock();
  readonly memory = new SharedMemory(this.clock);
  readonly lost: string[] = [];

  async process(name: string, historyLimit?: number) {
    const journal = this.memory.open();
    const store = await Store.openFollowing({
      kinds: [things],
      journal,
      clock: this.clock,
      random: new SeededRandom(name),
      log: silentLog,
      onLost: (reason) => this.lost.push(reason),
      ...(historyLimit === undefined ? {} : { historyLimit }),
    });
    const lead = async (): Promise<Leadership> => {
      const me = { name, url: `https://${name}:7443`, version: "0" };
      const leadership = await journal.campaign(me, new AbortController().signal);
      store.lead(leadership);
      return leadership;
    };
    return { journal, store, lead };
  }

  async settle(): Promise<void> {
    await this.clock.advance(this.memory.delayMs + 1);
  }
}

const names = (store: Store) => store.list(things).map(({ metadata }) => metadata.name);
const create = (store: Store, name: string, colour?: string) =>
  store.update((tx) => tx.create(things, draft(name, colour)));
const unavailable = (words: RegExp) => (error: unknown) =>
  error instanceof ApiError && error.reason === "Unavailable" && words.test(error.message);

async function take(changes: AsyncGenerator<readonly Change[]>, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const { value } = await changes.next();
    for (const { type, key, revision } of value ?? []) seen.push(`${type} ${key} ${revision}`);
  }
  return seen;
}

describe("store: following", () => {
  test("a follower reads what the leader has written, at the same revision, and writes nothing", async () => {
    const cell = new Cell();
    const [a, b] = [await cell.process("a"), await cell.process("b")];
    await a.lead();
    await create(a.store, "x");
    await cell.settle();
    assert.deepEqual(names(b.store), ["x"]);
    assert.equal(b.store.get(things, "n/x")?.metadata.resourceVersion, "1");
    assert.equal(b.store.revision, a.store.revision);
    assert.deepEqual(
      b.store.by(things, "colour", "red").map(({ metadata }) => metadata.name),
      ["x"],
    );
    await assert.rejects(create(b.store, "y"), unavailable(/follows another.*nothing was changed/));
    assert.equal(b.store.isLeading, false);
    assert.equal(a.store.isLeading, true);
  });

  test("a watch that begins on one server goes on at another from the same revision", async () => {
    const cell = new Cell();
    const [a, b] = [await cell.process("a"), await cell.process("b")];
    await a.lead();
    await create(a.store, "x");
    await a.store.update((tx) => {
      tx.create(things, draft("y"));
      tx.update(things, { ...(tx.get(things, "n/x") as Thing), spec: { colour: "blue" } });
      tx.remove(things, "n/y");
    });
    await cell.settle();
    const [here, there] = [a, b].map(({ store }) => store.watch({ since: 1 }));
    assert.deepEqual(await take(here as never, 3), ["added n/y 2", "modified n/x 3", "removed n/y 4"]);
    assert.deepEqual(await take(there as never, 3), ["added n/y 2", "modified n/x 3", "removed n/y 4"]);
  });

  test("a watch goes on when its server is promoted, and again when it is deposed", async () => {
    const cell = new Cell();
    const [a, b] = [await cell.process("a"), await cell.process("b")];
    const watch = b.store.watch({ since: 0 });
    await a.lead();
    await create(a.store, "x");
    const promoted = b.lead();
    cell.memory.depose("its lease ran out");
    await promoted;
    await create(b.store, "y");
    const back = a.lead();
    cell.memory.depose("its lease ran out");
    await back;
    await create(a.store, "z");
    await cell.settle();
    assert.deepEqual(await take(watch, 3), ["added n/x 1", "added n/y 2", "added n/z 3"]);
    assert.equal(b.store.isDeposed, true);
    assert.equal(a.store.isDeposed, false);
  });

  test("a leader that was deposed while it stood still has its write refused, and follows", async () => {
    const cell = new Cell();
    const [a, b] = [await cell.process("a"), await cell.process("b")];
    const { lost } = await a.lead();
    const promoted = b.lead();
    cell.memory.depose("its lease ran out", true);
    await promoted;
    await create(b.store, "b");
    assert.equal(lost.aborted, false);
    await assert.rejects(create(a.store, "a"), unavailable(/another server leads; nothing was changed/));
    assert.equal(lost.aborted, true);
    await cell.settle();
    assert.deepEqual(names(a.store), ["b"]);
    assert.equal(a.store.isDeposed, true);
  });

  test("what had gathered when the leadership was lost is refused, not left pending", async () => {
    const cell = new Cell();
    const a = await cell.process("a");
    await a.lead();
    const gathered = create(a.store, "x");
    cell.memory.depose("its lease ran out");
    await assert.rejects(gathered, unavailable(/no longer leads: its lease ran out; nothing was changed/));
    assert.deepEqual(names(a.store), []);
  });

  for (const fate of ["written", "not written"] as const) {
    test(`a batch whose answer was lost is told as not known; it was ${fate}, and every store comes to agree`, async () => {
      const cell = new Cell();
      const [a, b] = [await cell.process("a"), await cell.process("b")];
      await a.lead();
      cell.memory.doubtNext = fate;
      await assert.rejects(create(a.store, "x"), unavailable(/it is not known whether this was written/));
      await b.lead();
      await create(b.store, "y");
      await cell.settle();
      const expected = fate === "written" ? ["x", "y"] : ["y"];
      assert.deepEqual(names(a.store), expected);
      assert.deepEqual(names(b.store), expected);
    });
  }

  test("who waits for a revision is told when it is there, and not before; or that the wait was given up", async () => {
    const cell = new Cell();
    const [a, b] = [await cell.process("a"), await cell.process("b")];
    await a.lead();
    cell.memory.delayMs = 100;
    await create(a.store, "x");
    let isThere = false;
    const waiting = b.store.waitFor(a.store.revision).then(() => {
      isThere = true;
    });
    await cell.clock.advance(99);
    assert.equal(isThere, false);
    await cell.clock.advance(2);
    await waiting;
    const given = new AbortController();
    const never = b.store.waitFor(99, given.signal);
    given.abort(new Error("the answer took too long"));
    await assert.rejects(never, /took too long/);
  });

  test("when following ends, watches are told that they are too old, and the process that it must open anew", async () => {
    const cell = new Cell();
    const [a, b] = [await cell.process("a"), await cell.process("b")];
    await a.lead();
    const waiting = b.store.watch({}).next();
    cell.memory.compact();
    await assert.rejects(waiting, (error: unknown) => error instanceof ApiError && error.reason === "Expired");
    assert.deepEqual(cell.lost, ["the history was compacted"]);
    await create(a.store, "x");
    assert.deepEqual(names((await cell.process("c")).store), ["x"]);
  });

  test("property: whoever leads, all stores and their watchers see the same changes at the same revisions", async () => {
    const step = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom("create", "change", "remove", "depose", "depose unnoticed", "doubt", "no doubt"),
      name: fc.constantFrom("p", "q", "r"),
      colour: fc.constantFrom("red", "blue"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const cell = new Cell();
        const processes = await Promise.all(["a", "b", "c"].map((name) => cell.process(name)));
        let leading = processes[0] as (typeof processes)[number];
        await leading.lead();
        const acknowledged = new Set<number>();
        for (const { who, what, name, colour } of steps) {
          if (what === "depose" || what === "depose unnoticed") {
            cell.memory.depose("drawn", what === "depose unnoticed");
            const next = processes.filter(({ store }) => !store.isLeading)[who % 2] ?? leading;
            if (!next.store.isLeading) {
              leading = next;
              await leading.lead();
            }
            continue;
          }
          if (what === "doubt") cell.memory.doubtNext = "written";
          if (what === "no doubt") cell.memory.doubtNext = "not written";
          const { store } = leading;
          const wrote = await store
            .update((tx) => {
              const there = tx.get(things, `n/${name}`);
              if (what === "remove") tx.remove(things, `n/${name}`);
              else if (there) tx.update(things, { ...there, spec: { colour } });
              else tx.create(things, draft(name, colour));
            })
            .then(
              () => true,
              () => false,
            );
          if (wrote) acknowledged.add(store.revision);
          if (!store.isLeading) await leading.lead();
        }
        await cell.settle();
        // Whoever stood still learns of it at its next write, and hears what it missed.
        for (const { store } of processes)
          if (store !== leading.store && store.isLeading) await create(store, "late").catch(() => {});
        await cell.settle();
        const views = await Promise.all(
          processes.map(async ({ store }) => ({
            revision: store.revision,
            objects: store.list(things),
            changes: await take(store.watch({ since: 0 }), store.revision),
          })),
        );
        for (const view of views) assert.deepEqual(view, views[0]);
        for (const revision of acknowledged) assert.ok(revision <= (views[0]?.revision ?? 0));
      }),
      { numRuns: 150 },
    );
  });
});
