import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Event, events } from "../model/event.ts";
import { SystemClock } from "../seams/clock.ts";
import { silentLog } from "../seams/log.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { eventRetention, planEventSweep } from "./event-retention.ts";
import { ControllerRunner } from "./runner.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");

function event(name: string, secondsAgo: number): Event {
  const time = new Date(NOW - secondsAgo * 1000).toISOString();
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: "default", uid: name, resourceVersion: "1", generation: 1, creationTimestamp: time },
    involvedObject: { apiVersion: "v1", kind: "Pod", name: "p", uid: "u" },
    type: "Normal",
    reason: "Test",
    message: "",
    source: { component: "test" },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

describe("event retention", () => {
  const names = (swept: readonly Event[]) => swept.map(({ metadata }) => metadata.name);

  test("events last seen too long ago go", () => {
    const swept = planEventSweep([event("new", 10), event("old", 5000)], NOW, { mostEvents: 10, maxAgeMs: 3_600_000 });
    assert.deepEqual(names(swept), ["old"]);
  });

  test("of too many, the oldest go", () => {
    const present = [event("b", 20), event("a", 10), event("c", 30)];
    assert.deepEqual(names(planEventSweep(present, NOW, { mostEvents: 1, maxAgeMs: 3_600_000 })), ["c", "b"]);
  });

  test("within the limits nothing goes", () => {
    assert.deepEqual(planEventSweep([event("a", 1)], NOW, { mostEvents: 1, maxAgeMs: 3_600_000 }), []);
  });

  test("the controller keeps the store within the count", async () => {
    const [clock, random, log] = [new SystemClock(), new SeededRandom(1), silentLog];
    const store = await Store.open({ kinds: [events], journal: new MemoryJournal(), clock, random, log });
    const controllers = [eventRetention({ mostEvents: 5, maxAgeMs: 3_600_000 })];
    await store.update((tx) => {
      for (let n = 0; n < 3000; n++)
        tx.create(events, { ...event(`e${n}`, 0), lastTimestamp: new Date(clock.now()).toISOString() });
    });
    const runner = new ControllerRunner({ store, controllers, clock, random, log });
    runner.start();
    const deadline = clock.monotonic() + 5000;
    while (store.count(events) > 5 && clock.monotonic() < deadline) await clock.sleep(5);
    assert.equal(store.count(events), 5);
    await runner.stop();
    await store.close();
  });
});
