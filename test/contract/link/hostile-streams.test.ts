/** Peers that keep no rule, and readers that do not read: what it costs the others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MOST_STREAMS, WINDOW_BYTES } from "../../../src/agent/frames/streams/flow.ts";
import { encodeFrame, type StreamFrame } from "../../../src/agent/frames/streams/stream-frames.ts";
import { signFrame } from "../../../src/agent/frames/to-dispatcher.ts";
import type { Link, LinkListener } from "../../../src/seams/link.ts";
import { createPod, Told } from "../control/stage.ts";
import { memoryStage, openDispatcher, pairDialer, tlsStage } from "./stages.ts";
import { POD } from "./test-access.ts";
import { until } from "./tls-stage.ts";

const REQUEST = { tty: false, stdin: true };

/** An agent that says what it is told to say. */
async function scripted() {
  const { store, dispatcher } = await openDispatcher();
  const reasons: string[] = [];
  const heard: Uint8Array[] = [];
  const ears: LinkListener = {
    frame() {},
    bytes: (frame) => void heard.push(frame),
    closed: (reason) => void reasons.push(reason),
  };
  const dialer = pairDialer((link) => dispatcher.accept(link, { nodeName: "n1" }));
  const link: Link = await dialer.dial(ears, new AbortController().signal);
  link.send(signFrame("session"));
  await until("there is a session", () => dispatcher.hasLinkOf("n1"));
  const say = (frame: StreamFrame) => link.sendBytes?.(encodeFrame(frame));
  const close = async () => {
    dispatcher.stop();
    await store.close();
  };
  return { dispatcher, say, link, heard, reasons, close };
}

const piece = (bytes: number) => ({ channel: "stdout" as const, data: new Uint8Array(bytes) });

describe("streams: a hostile agent", () => {
  test("one that sends more than there is room for loses its link", async () => {
    const { dispatcher, say, reasons, close } = await scripted();
    const logs = dispatcher.access.logs(POD, { follow: true })[Symbol.asyncIterator]();
    const first = logs.next();
    for (let sent = 0; sent <= WINDOW_BYTES; sent += 30_000) say({ type: "data", stream: 1, piece: piece(30_000) });
    await until("the link is closed", () => reasons.length === 1);
    assert.match(reasons[0] ?? "", /more data than there was room for/);
    await first;
    await assert.rejects(async () => {
      while (!(await logs.next()).done);
    }, /connection to node "n1" was lost/);
    await close();
  });

  test("frames that are none of ours, and data after the end, close the link", async () => {
    for (const [bytes, words] of [
      [Uint8Array.of(99, 0, 0, 0, 1), /no known type/],
      [Uint8Array.of(1), /without a head/],
      [Buffer.concat([Uint8Array.of(6, 0, 0, 0, 1), Buffer.from('["Nonsense","x"]')]), /without a reason/],
    ] as const) {
      const { dispatcher, link, reasons, close } = await scripted();
      void dispatcher.access.usage(POD).catch(() => undefined);
      link.sendBytes?.(bytes);
      await until("the link is closed", () => reasons.length === 1);
      assert.match(reasons[0] ?? "", words);
      await close();
    }
  });

  test("one that says what nobody asked for is not listened to for long", async () => {
    const { dispatcher, say, reasons, close } = await scripted();
    void dispatcher.access.usage(POD).catch(() => undefined);
    for (let n = 0; n < 1_500 && reasons.length === 0; n++) {
      say({ type: "data", stream: 77, piece: piece(60_000) });
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until("the link is closed", () => reasons.length === 1);
    assert.match(reasons[0] ?? "", /more bytes than were asked for/);
    await close();
  });

  test("it cannot open streams itself", async () => {
    const { dispatcher, say, heard, close } = await scripted();
    void dispatcher.access.usage(POD).catch(() => undefined);
    say({ type: "open", stream: 900, value: { kind: "usage", pod: { uid: "x" } } });
    say({ type: "end", stream: 1, value: { main: { cpuMillis: 1, memoryBytes: 1 } } });
    await until("the reading is over", () => dispatcher.streams === 0);
    assert.ok(heard.every((frame) => Buffer.from(frame).readUInt32BE(1) === 1));
    await close();
  });

  test("an exit code that is none is said to be missing", async () => {
    const { dispatcher, say, close } = await scripted();
    const opening = dispatcher.access.exec(POD, { ...REQUEST, command: ["x"] });
    say({ type: "ready", stream: 1 });
    const session = await opening;
    say({ type: "end", stream: 1, value: { exitCode: "zero" } });
    await assert.rejects(session.exitCode, /did not say how the command ended/);
    await close();
  });

  test("more streams than one node may have are refused, and counted anew when some end", async () => {
    const stage = await memoryStage();
    const stop = new AbortController();
    const readers = Array.from({ length: MOST_STREAMS }, async () => {
      for await (const _ of stage.access.logs(POD, { follow: true, tailLines: 1, signal: stop.signal }));
    });
    await until("all are followed", () => stage.node.following === MOST_STREAMS);
    await assert.rejects(stage.access.usage(POD), { reason: "TooManyRequests" });
    stop.abort();
    await Promise.all(readers);
    await until("none is left", () => stage.node.following === 0);
    assert.deepEqual(Object.keys(await stage.access.usage(POD)), ["main"]);
    await stage.close();
  });
});

describe("streams: readers that do not read", () => {
  test("the node reads no more of a log than one window ahead", async () => {
    const stage = await tlsStage();
    const logs = stage.access.logs(POD, { tailLines: 1_000_000 })[Symbol.asyncIterator]();
    await logs.next();
    await until("the window is full", () => stage.node.read > 500);
    let before = -1;
    await until("no more is read", () => {
      const isStill = stage.node.read === before;
      before = stage.node.read;
      return isStill;
    });
    assert.ok(stage.node.read < 5_000, `${stage.node.read} lines`);
    await logs.return?.();
    await until("the stream is over", () => stage.link?.dispatcher.streams === 0);
    await stage.close();
  });

  test("a command that does not read its input holds back who writes, not the link", async () => {
    const stage = await tlsStage();
    const session = await stage.access.exec(POD, { ...REQUEST, command: ["wait"] });
    const it = stage.node.sessions.at(-1);
    assert.ok(it);
    it.isDeaf = true;
    let written = 0;
    const writing = (async () => {
      for (let n = 0; n < 100; n++) {
        await session.write(new Uint8Array(100_000));
        written += 100_000;
      }
    })();
    await until("the window is full", () => written >= 100_000);
    assert.deepEqual(Object.keys(await stage.access.usage(POD)), ["main"]);
    assert.ok(written < 1_000_000, `${written} bytes`);
    session.kill();
    await writing;
    await until("it was killed", () => it.isKilled);
    await stage.close();
  });

  test("assignments and signs of life pass a flood by", async () => {
    // 2 MB/s: the flood alone takes five seconds.
    const stage = await memoryStage({ bytesPerMs: 2_000, delayMs: 1 });
    const { link } = stage;
    assert.ok(link);
    const told = new Told();
    link.control.watchPods("n1", (assignments) => told.take(assignments), new AbortController().signal);
    await until("the first answer", () => told.batches.length > 0);
    const session = await stage.access.exec(POD, { ...REQUEST, command: ["echo"] });
    // Down: input, in the same direction as assignments; up: its echo, in that of reports.
    const flood = (async () => {
      for (let n = 0; n < 100; n++) await session.write(new Uint8Array(100_000));
    })();
    const drain = (async () => {
      for await (const _ of session.output);
    })();
    const latencies: number[] = [];
    for (let n = 0; n < 10; n++) {
      const beganMs = performance.now();
      await createPod(link.store, `web-${n}`, "n1");
      await until("the pod is assigned", () => told.agrees(link.store, "n1"));
      latencies.push(performance.now() - beganMs);
    }
    const worst = Math.max(...latencies);
    assert.ok(worst < 1_500, `an assignment took ${Math.round(worst)} ms`);
    session.kill();
    await Promise.all([flood, drain]);
    await stage.close();
  });

  test("of two floods each gets its share", async () => {
    const stage = await memoryStage({ bytesPerMs: 4_000, delayMs: 1 });
    const got = [0, 0];
    const enough = new AbortController();
    const read = async (at: number) => {
      const session = await stage.access.exec(POD, { ...REQUEST, command: ["flood", "100000000"] });
      for await (const { data } of session.output) {
        got[at] = (got[at] ?? 0) + data.length;
        if (enough.signal.aborted) break;
      }
    };
    const readers = [read(0), read(1)];
    await until("4 MB have come", () => (got[0] ?? 0) + (got[1] ?? 0) > 4_000_000);
    enough.abort();
    await Promise.all(readers);
    const share = (got[0] ?? 0) / ((got[0] ?? 0) + (got[1] ?? 0));
    assert.ok(share > 0.35 && share < 0.65, `${got.join(" and ")} bytes`);
    await until("both are over", () => stage.link?.dispatcher.streams === 0);
    await stage.close();
  });
});
