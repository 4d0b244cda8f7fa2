import assert from "node:assert/strict";
import { test } from "node:test";
import { acmeRefusals } from "../model/acme-refusal.ts";
import { kernelKinds } from "../model/kinds.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { forgetOldRefusals, keepRefusal } from "./refusals.ts";

test("a refusal of a host that nobody asks for now is forgotten when its time is over, not before: who asks again would order at once", async () => {
  const clock = new ManualClock();
  const options = { clock, random: new SeededRandom("refusals"), log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...options });
  const settings = { acmeDirectory: "https://authority.example/directory", acmeEmail: "" };
  const left = () => store.list(acmeRefusals).map(({ spec }) => spec.host);
  const forget = (...wanted: readonly string[]) =>
    store.update((tx) => forgetOldRefusals(tx, new Map(wanted.map((host) => [host, host]))));
  await store.update((tx) => void ["a.example", "b.example"].map((host) => keepRefusal(tx, host, settings, "no")));
  await forget();
  assert.deepEqual(left(), ["a.example", "b.example"]);
  await clock.advance(301_000);
  await forget("b.example");
  assert.deepEqual(left(), ["b.example"]);
  await store.close();
});
