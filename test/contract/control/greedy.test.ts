/** What an agent that means harm, or is broken, can cost: the dispatcher answers, sends and writes within bounds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callFrame, gotFrame } from "../../../src/agent/frames/to-dispatcher.ts";
import { events } from "../../../src/model/event.ts";
import { pods } from "../../../src/model/pod.ts";
import { secrets } from "../../../src/model/secret.ts";
import type { Link, LinkListener } from "../../../src/seams/link.ts";
import { createPod, NODE, type RemoteStage, remoteStage, reportOf } from "./stage.ts";
import { PERFECT } from "./wire.ts";

interface Raw {
  readonly out: string[];
  readonly closed: () => string | undefined;
  readonly listener: LinkListener;
}

/** A link with no agent behind it. */
function raw(stage: RemoteStage, bufferedBytes = (_out: readonly string[]) => 0): Raw {
  const out: string[] = [];
  let closed: string | undefined;
  const link: Link = {
    send: (frame) => out.push(frame),
    close: (reason) => (closed = reason),
    get bufferedBytes() {
      return bufferedBytes(out);
    },
  };
  return { out, closed: () => closed, listener: stage.dispatcher().accept(link, { nodeName: NODE }) };
}

const openStream = (stream: number) =>
  callFrame("s", stream, stream, JSON.stringify({ method: "watch", stream, node: NODE }));
const charsOf = (frames: readonly string[]) => frames.reduce((sum, { length }) => sum + length, 0);

async function withLargePod(stage: RemoteStage): Promise<void> {
  await createPod(stage.store, "large", NODE, {
    containers: [{ name: "c", image: "i", env: [{ name: "A", value: "y".repeat(60_000) }] }],
  });
  // The dispatcher has heard of it: what is sent is sent because it was asked for.
  await stage.clock.settle();
}

describe("a greedy agent", () => {
  test("gets what it says it has missed once in a while, however often it says so", async () => {
    const stage = await remoteStage(PERFECT);
    await withLargePod(stage);
    const { listener, out } = raw(stage);
    listener.frame(openStream(1));
    await stage.clock.settle();
    const once = charsOf(out);
    for (let at = 0; at < 1_000; at++) listener.frame(gotFrame("s", 1, 0, true));
    assert.ok(charsOf(out) <= 2.1 * once, `${charsOf(out)} characters, of ${once}`);
    await stage.clock.advance(1_000);
    listener.frame(gotFrame("s", 1, 0, true));
    assert.ok(charsOf(out) > 2.9 * once, "after a second it is sent once more");
  });

  test("opens new streams at a walking pace", async () => {
    const stage = await remoteStage(PERFECT);
    await withLargePod(stage);
    const { listener, out } = raw(stage);
    for (let stream = 1; stream <= 200; stream++) listener.frame(openStream(stream));
    await stage.clock.settle();
    assert.ok(charsOf(out) < 6 * 61_000, `${charsOf(out)} characters`);
    assert.ok(out.some((frame) => frame.includes("TooManyRequests")));
  });

  test("that reads nothing loses its link", async () => {
    const stage = await remoteStage(PERFECT);
    const { listener, closed } = raw(stage, (out) => out.length * 2 ** 23);
    for (let stream = 1; stream <= 3; stream++) listener.frame(openStream(stream));
    await stage.clock.settle();
    assert.match(closed() ?? "", /is not read/);
  });

  test("writes so many events per second and no more, and others go on", async () => {
    const stage = await remoteStage(PERFECT);
    const { metadata } = await createPod(stage.store, "loud");
    const { listener, out } = raw(stage);
    const { revision } = stage.store;
    for (let id = 1; id <= 200; id++) {
      const event = { podKey: "default/loud", podUid: metadata.uid, type: "Normal", reason: "R" };
      const told = Array.from({ length: 500 }, (_, at) => ({ ...event, message: `${id} ${at}` }));
      listener.frame(callFrame("s", id, id, JSON.stringify({ method: "report", reports: [], events: told })));
      await stage.clock.settle();
    }
    assert.ok(stage.store.revision - revision < 10_000, `${stage.store.revision - revision} writes`);
    assert.ok(stage.store.count(events) <= 200, `${stage.store.count(events)} events`);
    assert.ok(out.at(-1)?.includes("TooManyRequests"));
    const other = stage.dial("n2");
    const pod = await createPod(stage.store, "other", "n2");
    await stage.over(other.control.report([reportOf(pod, { phase: "Running" })], []));
  });

  test("is not listened to when it says too much, and is when it has been quiet for a while", async () => {
    const stage = await remoteStage(PERFECT);
    const { listener, out } = raw(stage);
    const beat = (sequence: number) =>
      `["b",${sequence},{"node":"${NODE}","bootId":"b","session":"s","sequence":${sequence},"health":"ok"}]`;
    for (let at = 1; at <= 5_000; at++) listener.frame(beat(at));
    assert.ok(out.length <= 1_000, `${out.length} answers`);
    const before = out.length;
    await stage.clock.advance(1_000);
    listener.frame(beat(9_999));
    assert.ok(out.length > before);
    assert.equal(stage.warnings.filter((text) => text.includes("listened to")).length, 1, "it is said once");
  });

  test("reads no secret with a pod that is over", async () => {
    const stage = await remoteStage(PERFECT);
    await stage.store.update((tx) => {
      tx.create(secrets, { apiVersion: "v1", kind: "Secret", metadata: { name: "x", namespace: "default" }, data: {} });
    });
    const volumes = [{ name: "v", secret: { secretName: "x" } }];
    const pod = await createPod(stage.store, "mine", NODE, { volumes });
    assert.deepEqual(await stage.over(stage.control.keyValues("Secret", "default", "x")), {});
    await stage.store.update((tx) => tx.update(pods, { ...pod, status: { phase: "Succeeded" } }));
    await assert.rejects(stage.over(stage.control.keyValues("Secret", "default", "x")), { reason: "Forbidden" });
  });
});
