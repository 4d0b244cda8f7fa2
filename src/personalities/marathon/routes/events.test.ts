import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RequestContext } from "../../../http/route.ts";
import { pods } from "../../../model/pod.ts";
import { silentLog } from "../../../seams/log.ts";
import { ManualClock } from "../../../seams/manual-clock.ts";
import { SeededRandom } from "../../../seams/random.ts";
import { MemoryJournal } from "../../../store/journals/memory.ts";
import { Store } from "../../../store/store.ts";
import { API_VERSION, appDeployments, appGroups, apps, appVersions, NAMESPACE } from "../kinds.ts";
import { eventRoutes } from "./events.ts";

async function stage() {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("events"), silentLog];
  const kinds = [pods, apps, appVersions, appDeployments, appGroups];
  const store = await Store.open({ kinds, journal: new MemoryJournal(), clock, random, log });
  const [route] = eventRoutes({ store, clock, random, log, address: "", version: "" });
  assert.ok(route);
  const url = new URL("http://marathon.test/v2/events?event_type=deployment_info&event_type=event_stream_attached");
  const gone = new AbortController();
  const context: RequestContext = {
    actor: { name: "test", roles: ["operator"] },
    params: {},
    url,
    signal: gone.signal,
    origin: "http://marathon.test",
    remoteAddress: "127.0.0.1",
  };
  const response = await route.handle(new Request(url), context);
  await clock.settle();
  let made = 0;
  /** One change of the store that makes so many events. */
  const happen = (count: number) =>
    store.update((tx) => {
      for (let n = 0; n < count; n++) {
        tx.create(appDeployments, {
          apiVersion: API_VERSION,
          kind: "AppDeployment",
          metadata: { name: `d${String(made++).padStart(6, "0")}`, namespace: NAMESPACE },
          spec: { version: "", affectedApps: [], steps: [], original: {} },
          status: { currentStep: 1 },
        });
      }
    });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const take = async (count: number) => {
    const texts: string[] = [];
    for (let n = 0; n < count; n++) texts.push(new TextDecoder().decode((await reader.read()).value));
    return texts;
  };
  return { clock, store, happen, reader, take, gone };
}

describe("the event stream's readers", () => {
  test("one that takes nothing for ten seconds, with its buffer full, is closed", async () => {
    const { clock, happen, take } = await stage();
    await happen(1100);
    await clock.advance(10_000);
    await assert.rejects(take(1), /too slow/);
  });

  test("one that takes something in time goes on, and gets everything once and in order", async () => {
    const { clock, happen, take } = await stage();
    await happen(1100);
    await clock.advance(9000);
    const texts = await take(50);
    await clock.advance(9000);
    texts.push(...(await take(1051)));
    const ids = texts.slice(1).map((text) => /"id":"(d\d+)"/.exec(text)?.[1]);
    assert.deepEqual(
      ids,
      Array.from({ length: 1100 }, (_, at) => `d${String(at).padStart(6, "0")}`),
    );
  });

  test("a change that makes more events than the buffer holds does not close the stream of a reader that keeps up", async () => {
    const { happen, take } = await stage();
    const taken = take(5001);
    await happen(5000);
    const texts = await taken;
    assert.equal(texts.length, 5001);
  });

  test("one that has left holds nothing any more, neither a timer nor a place in the watch", async () => {
    const { clock, happen, reader, gone } = await stage();
    await happen(1100);
    await clock.settle();
    gone.abort();
    await reader.cancel();
    await clock.settle();
    assert.equal(clock.timers, 0);
  });
});
