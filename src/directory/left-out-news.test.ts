import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LeftOut } from "../model/endpoint-shares.ts";
import { events } from "../model/event.ts";
import { kernelKinds } from "../model/kinds.ts";
import { type Service, services } from "../model/service.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { LeftOutNews } from "./left-out-news.ts";

const SOME: LeftOut = { told: 1, endpoints: 3, namespace: "shop", most: 10, targets: 12 };

async function shop() {
  const clock = new ManualClock();
  const parts = { clock, random: new SeededRandom("news"), log: silentLog, journal: new MemoryJournal() };
  const store = await Store.open({ kinds: kernelKinds, ...parts });
  await store.update((tx) => {
    for (let at = 0; at < 50; at++)
      tx.create<Service>(services, {
        ...{ apiVersion: "v1", kind: "Service", status: {}, spec: { ports: [{ port: 80 }] } },
        metadata: { name: `s${at}`, namespace: "shop" },
      });
  });
  const news = new LeftOutNews({ store, clock, log: silentLog });
  const said = () => store.list(events).map(({ reason, involvedObject }) => `${involvedObject.name} ${reason}`);
  return { clock, store, news, said };
}

describe("events of Services of which nodes are not told all", () => {
  test("say it in words, and when it is over", async () => {
    const { clock, store, news, said } = await shop();
    news.note("shop/s1", SOME);
    await clock.advance(1_100);
    assert.deepEqual(said(), ["s1 EndpointsLeftOut"]);
    assert.match(store.list(events)[0]?.message ?? "", /1 of its 3 endpoints.*service-endpoints-per-namespace/);
    news.note("shop/s1", undefined);
    await clock.advance(61_000);
    assert.deepEqual(said().sort(), ["s1 EndpointsComplete", "s1 EndpointsLeftOut"]);
  });

  test("are not written of what comes and goes within a second, nor of a Service that is gone", async () => {
    const { clock, news, said } = await shop();
    news.note("shop/s1", SOME);
    news.note("shop/s1", undefined);
    news.note("shop/none", SOME);
    await clock.advance(2_000);
    assert.deepEqual(said(), []);
  });

  test("are few at once, and the others are said later: whoever has thousands does not push out what others have to say", async () => {
    const { clock, news, said } = await shop();
    for (let at = 0; at < 50; at++) news.note(`shop/s${at}`, SOME);
    await clock.advance(1_100);
    assert.equal(said().length, 20);
    await clock.advance(60_000);
    assert.equal(said().length, 40);
    await clock.advance(60_000);
    assert.equal(said().length, 50);
  });

  test("everything looked at anew: who is left out no more is told so", async () => {
    const { clock, news, said } = await shop();
    for (const name of ["s1", "s2"]) news.note(`shop/${name}`, SOME);
    await clock.advance(1_100);
    news.begin();
    news.note("shop/s2", SOME);
    await clock.advance(61_000);
    assert.deepEqual(said().sort(), ["s1 EndpointsComplete", "s1 EndpointsLeftOut", "s2 EndpointsLeftOut"]);
    news.stop();
  });
});
