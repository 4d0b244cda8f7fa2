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
    await clock.advance(10);
  };
  return { clock, directory, feed, frames, put, stop: () => directory.stop() };
}

test("an agent that says it has applied what it was not sent yet is believed as far as it was sent", async () => {
  const { clock, directory, feed, frames, put, stop } = await fed();
  await clock.advance(3_000);
  // It acknowledges nothing, so that at some point it is sent no more.
  let sent = -1;
  for (let at = 0; sent !== frames.length; at++) {
    sent = frames.length;
    await put(`web-${at}`);
  }
  feed.applied(1_000_000);
  await clock.advance(200);
  assert.ok(directory.settledRevision < directory.revision, "the others still wait for what it was not sent");
  await clock.advance(1_000);
  assert.equal(directory.settledRevision, directory.revision, "but not for longer than a second");
  stop();
});
