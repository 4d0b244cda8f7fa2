import assert from "node:assert/strict";
import { test } from "node:test";
import { Directory } from "../directory/directory.ts";
import { serviceSource } from "../directory/service.ts";
import { kernelKinds } from "../model/kinds.ts";
import { services } from "../model/service.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { NetworkFeed } from "./network-feed.ts";

async function fed() {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("feed"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const directory = new Directory({ store, clock, log, sources: () => [serviceSource()] });
  directory.start();
  await directory.begun;
  const frames: string[] = [];
  const outlet = { send: (frame: string) => void frames.push(frame), monotonic: () => clock.monotonic() };
  const feed = new NetworkFeed({ directory, node: "a", stream: 1, outlet });
  feed.pump();
  const put = async (name: string) => {
    await store.update((tx) =>
      tx.create(services, {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" }, status: {} },
        spec: { ports: [{ port: 80 }] },
      }),
    );
    await clock.advance(100);
  };
  return { directory, feed, frames, put, stop: () => directory.stop() };
}

test("an agent that says it has applied what it was not told yet is believed as far as it was told", async () => {
  const { directory, feed, put, stop } = await fed();
  await put("web");
  feed.applied(1_000_000);
  assert.equal(directory.settledRevision, directory.revision);
  const before = directory.revision;
  await put("db");
  assert.ok(directory.revision > before);
  assert.equal(directory.settledRevision, before, "of what came after it has said nothing");
  feed.applied(directory.revision);
  assert.equal(directory.settledRevision, directory.revision);
  stop();
});
