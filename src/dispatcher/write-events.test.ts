import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "../model/event.ts";
import { kernelKinds } from "../model/kinds.ts";
import { pods } from "../model/pod.ts";
import { testPod } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { MOST_EVENTS_OF_A_POD, writeEvents } from "./write-events.ts";

test("of one pod the newest events are kept, and those of others stay", async () => {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("events"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const tell = (name: string, message: string) => {
    const { uid = "" } = store.get(pods, `default/${name}`)?.metadata ?? {};
    return { podKey: `default/${name}`, podUid: uid, type: "Normal", reason: "R", message } as const;
  };
  for (const name of ["loud", "quiet"]) await store.update((tx) => tx.create(pods, testPod({ name })));
  await store.update((tx) => writeEvents(tx, [tell("quiet", "once")]));
  for (let round = 0; round < 3; round++) {
    const told = Array.from({ length: 150 }, (_, at) => tell("loud", `${round} ${at}`));
    await store.update((tx) => writeEvents(tx, told));
  }
  const messages = store.list(events).map(({ message }) => message);
  assert.equal(messages.length, MOST_EVENTS_OF_A_POD + 1);
  assert.ok(messages.includes("once"));
  assert.ok(messages.includes("2 0") && messages.includes("2 149") && !messages.includes("0 0"));
});
