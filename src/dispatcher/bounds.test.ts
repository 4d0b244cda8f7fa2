/** What one agent can make the control plane keep. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MOST_CALLS } from "../agent/frames/limits.ts";
import { callFrame, signFrame } from "../agent/frames/to-dispatcher.ts";
import type { LeaseDesk } from "../model/heartbeat.ts";
import { kernelKinds } from "../model/kinds.ts";
import { type Pod, pods } from "../model/pod.ts";
import type { Link } from "../seams/link.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { AgentLink } from "./agent-link.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { NodeCalls } from "./node-calls.ts";
import { PodFeed } from "./pod-feed.ts";
import { Session } from "./session.ts";

async function opened() {
  const clock = new ManualClock();
  const random = new SeededRandom("bounds.test");
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog });
  const sent: string[] = [];
  const link: Link = { send: (text) => void sent.push(text), close: () => {} };
  return { clock, store, sent, link: new AgentLink(link, store, clock, { node: "n1", order: 1 }) };
}

const NO_LEASES: LeaseDesk = {
  beat: () => ({ renewed: true, known: true, terms: { heartbeatMs: 1_000 } }),
  goodbye: () => Promise.resolve(),
};

const bound = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod" as const,
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "main", image: "busybox" }], nodeName: "n1" },
  status: { phase: "Pending" as const },
});

describe("what one agent can make the control plane keep", () => {
  test("streams: the newest few of a link", async () => {
    const { clock, store, link } = await opened();
    for (let stream = 1; stream <= 20; stream++) {
      link.openFeed(stream);
      await clock.advance(2_000);
    }
    assert.deepEqual([...link.feeds.keys()], [17, 18, 19, 20]);
    await store.close();
  });

  test("changes that it does not fetch: so many names, then everything is sent anew in their place", async () => {
    const { store } = await opened();
    await store.update((tx) => tx.create<Pod>(pods, bound("web")));
    const frames: string[] = [];
    const feed = new PodFeed(store, "n1", 1, { send: (text) => void frames.push(text), monotonic: () => 0 });
    feed.pump();
    const before = frames.length;
    // Of pods that have gone since: gathered one by one each would be named.
    for (let at = 0; at < 50_000; at++) feed.touch(`uid-${at}`, `default/pod-${at}`);
    feed.pump();
    const after = frames.slice(before).join("\n");
    assert.match(after, /"web"/);
    assert.doesNotMatch(after, /uid-0"/);
    await store.close();
  });

  test("calls that are not over: so many, and the next is refused in words", async () => {
    const { clock, store, sent, link } = await opened();
    let begun = 0;
    const calls = {
      carryOut: () => {
        begun++;
        return new Promise(() => {});
      },
    } as unknown as NodeCalls;
    const session = new Session({ id: "s", calls, link, log: silentLog, network: undefined });
    const call = { method: "keyValues", kind: "Secret", namespace: "default", name: "x" } as never;
    for (let id = 1; id <= MOST_CALLS + 10; id++)
      session.call({ type: "call", session: "s", id, floor: 0, call }, () => true);
    await clock.settle();
    assert.equal(begun, MOST_CALLS);
    assert.equal(sent.filter((text) => text.includes("TooManyRequests")).length, 10);
    await store.close();
  });

  test("runs of agents that are away, for a minute; then it looks after nobody", async () => {
    const { clock, store } = await opened();
    const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases: NO_LEASES });
    for (let at = 0; at < 50; at++) {
      const link: Link = { send: () => {}, close: () => {} };
      const listener = dispatcher.accept(link, { nodeName: `n${at}` });
      listener.frame(signFrame(`s${at}`));
      listener.closed("the agent ends");
    }
    await clock.advance(50_000);
    assert.equal(dispatcher.kept.sessions, 50, "they may be back in a moment");
    await clock.advance(20_000);
    assert.equal(dispatcher.kept.sessions, 0);
    await clock.advance(10_000);
    assert.equal(clock.timers, 0);
    dispatcher.stop();
    await store.close();
  });

  test("numbers of reports: of pods that are in the store", async () => {
    const { clock, store } = await opened();
    const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases: NO_LEASES });
    const link: Link = { send: () => {}, close: () => {} };
    const listener = dispatcher.accept(link, { nodeName: "n1" });
    for (let id = 1; id <= 5; id++) {
      const { metadata } = await store.update((tx) => tx.create<Pod>(pods, bound(`web-${id}`)));
      const report = { key: `default/web-${id}`, uid: metadata.uid, status: { phase: "Running" } };
      listener.frame(callFrame("s", id, id, JSON.stringify({ method: "report", reports: [report], events: [] })));
      await clock.settle();
    }
    assert.equal(dispatcher.kept.pods, 5);
    await store.update((tx) => {
      for (let id = 1; id <= 4; id++) tx.remove(pods, `default/web-${id}`);
    });
    await clock.settle();
    assert.equal(dispatcher.kept.pods, 1);
    dispatcher.stop();
    await store.close();
  });
});
