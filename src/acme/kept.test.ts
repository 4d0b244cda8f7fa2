import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelKinds } from "../model/kinds.ts";
import { secrets } from "../model/secret.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { forgetUnwanted, keepAccountKey, keepCertificate } from "./kept.ts";

test("of certificates that nobody asks for any more the 500 youngest are kept, beside all that are wanted and the account", async () => {
  const clock = new ManualClock();
  const parts = { clock, random: new SeededRandom("kept"), log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
  await keepAccountKey(store, "https://authority.example/directory", async () => "key");
  const keep = (host: string) => store.update((tx) => keepCertificate(tx, host, { certificate: "c", key: "k" }));
  await keep("wanted.example.org");
  await keep("z.example.org");
  await clock.advance(60_000);
  for (let n = 0; n < 500; n++) await keep(`a${n}.example.org`);
  await store.update((tx) => forgetUnwanted(tx, new Map([["wanted.example.org", []]])));
  const left = store.list(secrets, "styr-system").map(({ metadata }) => metadata.name);
  assert.equal(left.length, 502);
  assert.ok(left.includes("acme-account") && left.includes("tls.wanted.example.org"));
  assert.ok(!left.includes("tls.z.example.org"), "the oldest goes");
  await store.close();
});
