import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defineKind, type ObjectMeta } from "../model/meta.ts";
import type { Change } from "./transaction.ts";
import { History } from "./watch.ts";

interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

const [quiet, busy] = ["Quiet", "Busy"].map((name) => defineKind<Thing>(name, "v1", "namespaced")) as [
  ReturnType<typeof defineKind<Thing>>,
  ReturnType<typeof defineKind<Thing>>,
];
const change = (kind: Change["kind"], revision: number): Change => {
  const metadata = { name: "a", namespace: "n", resourceVersion: String(revision) } as ObjectMeta;
  return { type: "modified", kind, key: "n/a", revision, object: { apiVersion: "v1", kind: kind.name, metadata } };
};

const turn = () => new Promise<"nothing">((resolve) => setImmediate(() => resolve("nothing")));

describe("what watchers are woken by", () => {
  test("who waits for one kind sleeps through changes of others, and hears where they ended", async () => {
    const history = new History(100, 0);
    const woken = history.next(undefined, [quiet.name]);
    history.append([change(busy, 1), change(busy, 2)]);
    assert.equal(await Promise.race([woken, turn()]), "nothing");
    history.append([change(busy, 3), change(quiet, 4)]);
    assert.equal(await woken, 2);
  });

  test("who waits for anything is woken by every append, also by one that shows nothing", async () => {
    const history = new History(100, 0);
    const first = history.next();
    history.append([change(busy, 1)]);
    assert.equal(await first, 0);
    const second = history.next();
    history.append([]);
    assert.equal(await second, undefined);
  });

  test("a watch has missed nothing when all that was forgotten is of other kinds", async () => {
    const history = new History(10, 0);
    const watch = history.watch(() => 0, { kinds: [quiet] });
    const heard = watch.next();
    await turn();
    for (let revision = 1; revision <= 50; revision++) history.append([change(busy, revision)]);
    history.append([change(quiet, 51)]);
    const { value } = await heard;
    assert.deepEqual(
      (value ?? []).map(({ revision }) => revision),
      [51],
    );
  });

  test("a watch of two kinds is woken once, by either", async () => {
    const history = new History(100, 0);
    const watch = history.watch(() => 0, { kinds: [quiet, busy] });
    for (const [revision, kind] of [busy, quiet, busy].entries()) {
      const heard = watch.next();
      await turn();
      history.append([change(kind, revision + 1)]);
      assert.equal((await heard).value?.[0]?.revision, revision + 1);
    }
  });

  test("all are told of the end, whatever they wait for", async () => {
    const history = new History(100, 0);
    const waiting = [history.next(), history.next(undefined, [quiet.name])];
    history.end(new Error("it is closed"));
    for (const each of waiting) await assert.rejects(each, /it is closed/);
  });
});
