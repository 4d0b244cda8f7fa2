import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defineKind, type ObjectMeta } from "../model/meta.ts";
import type { RowChange } from "../model/reports.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { RowFeed } from "./row-feed.ts";

interface Thing {
  readonly apiVersion: string;
  readonly kind: "Thing";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly colour: string };
}

interface Row {
  readonly name: string;
  readonly colour: string;
}

const things = defineKind<Thing>("Thing", "v1", "cluster");

async function stage(historyLimit = 1000) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("rows"), silentLog];
  const store = await Store.open({ kinds: [things], journal: new MemoryJournal(), clock, random, log, historyLimit });
  let derived = 0;
  const feed = new RowFeed<Row>({
    store,
    clock,
    kinds: [things],
    list: () => {
      derived++;
      return store.list(things).map(({ metadata, spec }) => ({ name: metadata.name, colour: spec.colour }));
    },
    id: ({ name }) => name,
  });
  const paint = (...all: readonly [name: string, colour: string][]) =>
    store.update((tx) => {
      for (const [name, colour] of all) {
        const before = tx.get(things, name);
        if (before) tx.update(things, { ...before, spec: { colour } });
        else tx.create<Thing>(things, { apiVersion: "v1", kind: "Thing", metadata: { name }, spec: { colour } });
      }
    });
  const remove = (name: string) => store.update((tx) => tx.remove(things, name));
  return { store, clock, feed, paint, remove, derivations: () => derived };
}

/** Reads a feed as it comes; `said` is what has come since the last look, `believes` what the watcher thinks there is. */
function watcher(feed: RowFeed<Row>) {
  const gone = new AbortController();
  const rows = new Map<string, string>();
  const news: string[] = [];
  let failure: unknown;
  const hear = (change: RowChange<Row>) => {
    if (change.type === "synced") news.push("synced");
    else if (change.type === "gone") {
      rows.delete(change.id);
      news.push(`no ${change.id}`);
    } else {
      rows.set(change.id, change.row.colour);
      news.push(`${change.id} ${change.row.colour}`);
    }
  };
  const run = async () => {
    for await (const change of feed.watch(gone.signal)) hear(change);
  };
  const ended = run().catch((error: unknown) => {
    failure = error;
  });
  return {
    said: () => news.splice(0),
    believes: () => Object.fromEntries(rows),
    leave: () => {
      gone.abort();
      return ended;
    },
    failure: () => failure,
  };
}

describe("rows for watchers", () => {
  test("come as they are, then `synced`, then what changes: rows anew and rows that are gone", async () => {
    const { clock, feed, paint, remove } = await stage();
    await paint(["a", "red"], ["b", "red"]);
    const one = watcher(feed);
    await clock.settle();
    assert.deepEqual(one.said(), ["a red", "b red", "synced"]);
    await paint(["a", "blue"], ["c", "red"]);
    await remove("b");
    await clock.advance(200);
    assert.deepEqual(one.said(), ["a blue", "c red", "no b"]);
    await one.leave();
  });

  test("that tell more than the store does are derived anew also while nothing is stored", async () => {
    const { clock, store } = await stage();
    let colour = "green";
    const list = () => [{ name: "n1", colour }];
    const feed = new RowFeed<Row>({ store, clock, kinds: [things], list, id: ({ name }) => name, anewEveryMs: 1000 });
    const one = watcher(feed);
    await clock.settle();
    assert.deepEqual(one.said(), ["n1 green", "synced"]);
    colour = "yellow";
    await clock.advance(1200);
    assert.deepEqual(one.said(), ["n1 yellow"]);
    await clock.advance(5000);
    assert.deepEqual(one.said(), [], "what is as it was is no news");
    await one.leave();
  });

  test("an empty list is synced at once, too", async () => {
    const { clock, feed, paint } = await stage();
    const one = watcher(feed);
    await clock.settle();
    assert.deepEqual(one.said(), ["synced"]);
    await paint(["a", "red"]);
    await clock.advance(200);
    assert.deepEqual(one.said(), ["a red"]);
    await one.leave();
  });

  test("are derived five times a second at most, however fast the store changes and however many watch", async () => {
    const { clock, feed, paint, derivations } = await stage();
    await paint(["a", "0"]);
    const all = Array.from({ length: 20 }, () => watcher(feed));
    await clock.settle();
    assert.equal(derivations(), 1, "twenty watchers of one moment share one derivation");
    for (let n = 1; n <= 100; n++) {
      await paint(["a", String(n)]);
      await clock.advance(10);
    }
    await clock.advance(400);
    assert.ok(derivations() <= 8, `${derivations()} derivations in 1.4 s`);
    for (const one of all) assert.deepEqual(one.believes(), { a: "100" });
    await Promise.all(all.map((one) => one.leave()));
  });

  test("a change that is larger than what the store remembers is still heard of", async () => {
    const { clock, feed, paint } = await stage(10);
    await paint(["a", "red"]);
    const one = watcher(feed);
    await clock.settle();
    await paint(...Array.from({ length: 50 }, (_, at): [string, string] => [`n${at}`, "new"]));
    await clock.advance(200);
    assert.equal(one.failure(), undefined);
    assert.equal(Object.keys(one.believes()).length, 51);
    await paint(["a", "blue"]);
    await clock.advance(200);
    assert.equal(one.believes().a, "blue");
    await one.leave();
  });

  test("a watcher that comes later, or reads nothing for a while, ends up with the same rows as the others", async () => {
    const { clock, feed, paint, remove } = await stage();
    await paint(["a", "1"], ["b", "1"], ["c", "1"]);
    const quick = watcher(feed);
    await clock.settle();
    const slow = feed.watch(new AbortController().signal);
    const seen: string[] = [];
    for (let n = 0; n < 4; n++) seen.push((await slow.next()).value?.type ?? "nothing");
    assert.deepEqual(seen, ["row", "row", "row", "synced"]);
    for (const colour of ["2", "3", "4"]) {
      await paint(["a", colour]);
      await clock.advance(200);
    }
    await remove("b");
    await clock.advance(200);
    await remove("c");
    await paint(["d", "1"]);
    await clock.advance(200);
    await paint(["b", "9"]);
    await clock.advance(200);
    const late = watcher(feed);
    await clock.settle();
    assert.deepEqual(late.said(), ["a 4", "b 9", "d 1", "synced"]);
    assert.deepEqual(quick.believes(), { a: "4", b: "9", d: "1" });
    const caughtUp: unknown[] = [];
    for (let n = 0; n < 4; n++) caughtUp.push((await slow.next()).value);
    assert.deepEqual(caughtUp, [
      { type: "row", id: "a", row: { name: "a", colour: "4" } },
      { type: "row", id: "b", row: { name: "b", colour: "9" } },
      { type: "row", id: "d", row: { name: "d", colour: "1" } },
      { type: "gone", id: "c" },
    ]);
    await slow.return();
    await Promise.all([quick.leave(), late.leave()]);
  });

  test("a watcher that stands still is told of nothing that it never saw, and costs nothing of what comes and goes", async () => {
    const { clock, feed, paint, remove } = await stage();
    await paint(["a", "1"], ["b", "1"]);
    const live = watcher(feed);
    const slow = feed.watch(new AbortController().signal);
    for (let n = 0; n < 3; n++) await slow.next();
    for (let n = 0; n < 3; n++) {
      await paint([`passing${n}`, "1"], ["b", String(n + 2)]);
      await clock.advance(200);
      await remove(`passing${n}`);
      await clock.advance(200);
    }
    await remove("a");
    await clock.advance(200);
    assert.deepEqual((await slow.next()).value, { type: "row", id: "b", row: { name: "b", colour: "4" } });
    assert.deepEqual((await slow.next()).value, { type: "gone", id: "a" });
    await paint(["c", "1"]);
    await clock.advance(200);
    assert.deepEqual((await slow.next()).value, { type: "row", id: "c", row: { name: "c", colour: "1" } });
    assert.deepEqual(live.believes(), { b: "4", c: "1" });
    await slow.return();
    await live.leave();
  });

  test("a row that goes, comes back and goes again is taken back also from who saw only its first time", async () => {
    const { clock, feed, paint, remove } = await stage();
    await paint(["a", "1"], ["b", "1"]);
    const live = watcher(feed);
    const slow = feed.watch(new AbortController().signal);
    for (let n = 0; n < 3; n++) await slow.next();
    for (let n = 0; n < 2; n++) {
      await remove("a");
      await clock.advance(200);
      if (n === 0) await paint(["a", "2"]);
      await clock.advance(200);
    }
    assert.deepEqual((await slow.next()).value, { type: "gone", id: "a" });
    await slow.return();
    await live.leave();
  });

  test("watchers that stand still at many places do not make it keep ever more: the slowest is to list again", async () => {
    const { clock, feed, paint, remove } = await stage(100_000);
    const standing: AsyncGenerator<RowChange<Row>>[] = [];
    const live = watcher(feed);
    await clock.settle();
    for (let n = 0; n < 4; n++) {
      const names = Array.from({ length: 500 }, (_, at) => `${n}-${at}`);
      await paint(...names.map((name): [string, string] => [name, "1"]));
      await clock.advance(200);
      const one = feed.watch(new AbortController().signal);
      for (let told = 0; told < 501; told++) await one.next();
      standing.push(one);
      await Promise.all(names.map(remove));
      await clock.advance(200);
      await paint(["x", String(n)]);
      await clock.advance(200);
      await remove("x");
      await clock.advance(200);
    }
    await assert.rejects(standing[0]?.next() ?? Promise.resolve(), /missed too much: list again/);
    assert.equal((await standing.at(-1)?.next())?.value?.type, "gone");
    assert.deepEqual(live.believes(), {});
    for (const one of standing) await one.return(undefined);
    await live.leave();
  });

  test("who comes while a listing is under way sees what was stored before it came", async () => {
    const { clock, store, paint } = await stage();
    const hold = Promise.withResolvers<void>();
    let listings = 0;
    const list = async () => {
      const rows = store.list(things).map(({ metadata, spec }) => ({ name: metadata.name, colour: spec.colour }));
      if (listings++ === 0) await hold.promise;
      return rows;
    };
    const feed = new RowFeed<Row>({ store, clock, kinds: [things], list, id: ({ name }) => name });
    const early = watcher(feed);
    await clock.settle();
    await paint(["a", "red"]);
    const later = watcher(feed);
    hold.resolve();
    await clock.settle();
    assert.deepEqual(later.said(), ["a red", "synced"]);
    await Promise.all([early.leave(), later.leave()]);
  });

  test("when nobody watches nothing is derived, and whoever comes then sees what is", async () => {
    const { clock, feed, paint, derivations } = await stage();
    await paint(["a", "1"]);
    const first = watcher(feed);
    await clock.settle();
    await first.leave();
    await clock.settle();
    const before = derivations();
    await paint(["a", "2"], ["b", "1"]);
    await clock.advance(1000);
    assert.equal(derivations(), before);
    assert.equal(clock.timers, 0);
    const second = watcher(feed);
    await clock.settle();
    assert.deepEqual(second.said(), ["a 2", "b 1", "synced"]);
    await second.leave();
  });

  test("when the store closes, all watchers are told", async () => {
    const { store, clock, feed } = await stage();
    const all = [watcher(feed), watcher(feed)];
    await clock.settle();
    await store.close();
    await clock.settle();
    for (const one of all) assert.match(String(one.failure()), /the store is closed/);
  });
});
