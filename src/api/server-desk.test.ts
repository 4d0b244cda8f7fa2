import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { servers } from "../model/server.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { ServerDesk, SILENT_MS } from "./server-desk.ts";

const sign = (revision: number) => ({ url: "https://b:7443", version: "0.1.0", revision });

async function open() {
  const clock = new ManualClock();
  const random = new SeededRandom("desk");
  const store = await Store.open({ kinds: [servers], journal: new MemoryJournal(), clock, random, log: silentLog });
  const sinceMs = clock.now();
  return { clock, store, desk: new ServerDesk({ store, clock, name: "a", leadsSinceMs: () => sinceMs }) };
}

describe("the servers of a cluster", () => {
  test("one that signs on is in the store, and written again only when it has changed", async () => {
    const { store, desk } = await open();
    await desk.sign("b", sign(0));
    const { revision } = store;
    assert.equal(store.get(servers, "b")?.spec.url, "https://b:7443");
    await desk.sign("b", sign(1));
    assert.equal(store.revision, revision);
    await desk.sign("b", { ...sign(1), version: "0.2.0" });
    assert.equal(store.get(servers, "b")?.spec.version, "0.2.0");
  });

  test("who leads, who follows and how far, and who was not heard for too long", async () => {
    const { clock, store, desk } = await open();
    await desk.sign("a", sign(0));
    await desk.sign("b", sign(store.revision));
    const states = () => desk.rows().map(({ name, state, behind }) => [name, state, behind]);
    assert.deepEqual(states(), [
      ["a", "leads", undefined],
      ["b", "follows", 0],
    ]);
    await clock.advance(SILENT_MS);
    assert.deepEqual(states()[1], ["b", "silent", 0]);
  });

  test("one that said that it stops is silent at once and can be forgotten, until it signs on again", async () => {
    const { store, desk } = await open();
    await desk.sign("a", sign(0));
    await desk.sign("b", sign(store.revision));
    desk.signOff("b");
    assert.deepEqual([desk.rows()[1]?.state, desk.isHeard("b")], ["silent", false]);
    await desk.sign("b", sign(store.revision));
    assert.deepEqual([desk.rows()[1]?.state, desk.isHeard("b")], ["follows", true]);
  });

  test("one that a new leader has not heard yet is not said to follow, and silent only when it had time to be heard", async () => {
    const { clock, store, desk } = await open();
    await desk.sign("a", sign(0));
    await desk.sign("b", sign(0));
    const sinceMs = clock.now();
    const next = new ServerDesk({ store, clock, name: "a", leadsSinceMs: () => sinceMs });
    const states = () => next.rows().map(({ name, state }) => [name, state]);
    assert.deepEqual(states()[1], ["b", "unknown"]);
    await clock.advance(SILENT_MS);
    assert.deepEqual(states()[1], ["b", "silent"]);
  });

  test("while none leads, who answers does not call itself silent, and of the others nothing is known", async () => {
    const { clock, store, desk } = await open();
    await desk.sign("a", sign(0));
    await desk.sign("b", sign(0));
    const follower = new ServerDesk({ store, clock, name: "b", leadsSinceMs: () => undefined });
    await clock.advance(SILENT_MS);
    assert.deepEqual(
      follower.rows().map(({ name, state }) => [name, state]),
      [
        ["a", "unknown"],
        ["b", "follows"],
      ],
    );
  });

  test("a second host of the same name is refused while the first one runs", async () => {
    const { clock, desk } = await open();
    await desk.sign("b", sign(0));
    await assert.rejects(desk.sign("b", { ...sign(0), url: "https://c:7443" }), /"b" runs already.*--node-name/);
    await clock.advance(SILENT_MS);
    await desk.sign("b", { ...sign(0), url: "https://c:7443" });
  });

  test("a leader that has just begun takes nobody for silent", async () => {
    const { clock, store } = await open();
    const before = new ServerDesk({ store, clock, name: "a", leadsSinceMs: () => undefined });
    await before.sign("b", sign(0));
    const beganMs = clock.now();
    const desk = new ServerDesk({ store, clock, name: "a", leadsSinceMs: () => beganMs });
    assert.equal(desk.isHeard("b"), true);
    await clock.advance(SILENT_MS);
    assert.equal(desk.isHeard("b"), false);
  });
});
