import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { packTextNow } from "../../lib/packed-text.ts";
import { testNode } from "../../scheduling/test-objects.ts";
import {
  DEEPEST,
  MOST_CALL_CHARS,
  MOST_EVENTS,
  MOST_FRAME_CHARS,
  MOST_HEALTH_CHARS,
  MOST_NAME_CHARS,
  MOST_REPORT_CHARS,
  MOST_REPORTS,
} from "./limits.ts";
import { FrameError } from "./shape.ts";
import {
  aliveFrame,
  beatAnswerFrame,
  doneFrame,
  networkFrame,
  packedFrame,
  parseToAgent,
  podsFrame,
  refusedFrame,
} from "./to-agent.ts";
import { beatFrame, callFrame, dropFrame, gotFrame, parseToDispatcher, signFrame } from "./to-dispatcher.ts";

// biome-ignore lint/suspicious/noExplicitAny: what arrives may be anything
type Any = any;

describe("frames to the dispatcher", () => {
  const beat = { node: "n", bootId: "b", session: "s", sequence: 3, health: "ok" } as const;
  const goodbye = { node: "n", session: "s", why: "reboot" } as const;
  const call = { method: "goodbye", goodbye } as const;

  test("each is read as it was written", () => {
    assert.deepEqual(parseToDispatcher(beatFrame(7, beat)), { type: "beat", id: 7, beat });
    const read = parseToDispatcher(callFrame("s", 5, 4, JSON.stringify(call)));
    assert.deepEqual(read, { type: "call", session: "s", id: 5, floor: 4, call });
    const got = { type: "got", session: "s", stream: 1, sequence: 9, isBehind: true };
    assert.deepEqual(parseToDispatcher(gotFrame("s", 1, 9, true)), got);
    assert.deepEqual(parseToDispatcher(dropFrame("s", 2)), { type: "drop", session: "s", stream: 2 });
    assert.deepEqual(parseToDispatcher(signFrame("s")), { type: "sign", session: "s" });
  });

  test("anything else is a FrameError, and nothing but that", () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("b", "c", "g", "d", "s", "register", "report", 1, {}, []));
    const call = fc.record({
      method: fc.constantFrom("register", "report", "values", "goodbye", "watch", "x"),
      node: value,
      reports: fc.oneof(value, fc.array(value)),
      events: fc.oneof(value, fc.array(value)),
      goodbye: value,
      kind: value,
      stream: value,
    });
    const frame = fc.oneof(
      fc.array(value, { maxLength: 6 }),
      value,
      call.map((made) => ["c", "s", 1, 1, made]),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          frame.map((made) => JSON.stringify(made)),
        ),
        (text) => {
          try {
            parseToDispatcher(text);
          } catch (error) {
            assert.ok(error instanceof FrameError, String(error));
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  const bad: readonly (readonly [why: string, call: unknown])[] = [
    ["a report without a uid", { method: "report", reports: [{ key: "a/b", status: "gone" }], events: [] }],
    [
      "a status of no known phase",
      { method: "report", reports: [{ key: "a", uid: "b", status: { phase: "Up" } }], events: [] },
    ],
    [
      "an event of no known type",
      { method: "report", reports: [], events: [{ podKey: "", podUid: "", reason: "", message: "", type: "Bad" }] },
    ],
    [
      "container statuses that are no list",
      {
        method: "report",
        reports: [{ key: "a", uid: "b", status: { phase: "Running", containerStatuses: 3 } }],
        events: [],
      },
    ],
    ["a node without a status", { method: "register", node: { metadata: { name: "n" }, spec: {} } }],
    ["values of another kind", { method: "values", kind: "Pod", namespace: "a", name: "b" }],
    ["a goodbye without a reason", { method: "goodbye", goodbye: { node: "n", session: "s" } }],
    ["a watch without a stream", { method: "watch", node: "n" }],
  ];
  for (const [why, call] of bad) {
    test(`refused: ${why}`, () => {
      assert.throws(() => parseToDispatcher(callFrame("s", 1, 1, JSON.stringify(call))), FrameError);
    });
  }

  const node = testNode({ name: "n" });
  const registering = (change: (node: Any) => void) => {
    const made: Any = structuredClone(node);
    change(made);
    return { method: "register", node: made };
  };
  const badNodes: Readonly<Record<string, (node: Any) => void>> = {
    "taints that are a number": ({ spec }) => Object.assign(spec, { taints: 5 }),
    "a taint that is nothing": ({ spec }) => Object.assign(spec, { taints: [null] }),
    "a taint of no known effect": ({ spec }) => Object.assign(spec, { taints: [{ key: "a", effect: "NoWay" }] }),
    "labels that are no texts": ({ metadata }) => Object.assign(metadata, { labels: { zone: { a: 1 } } }),
    "annotations that are a number": ({ metadata }) => Object.assign(metadata, { annotations: 5 }),
    "one dynamic port": ({ status }) => Object.assign(status, { dynamicPorts: [31_000] }),
    "dynamic ports that are none": ({ status }) => Object.assign(status, { dynamicPorts: [0, 9e15] }),
    "a driver whose reason is no text": ({ status }) =>
      Object.assign(status.drivers, { docker: { ready: false, reason: {} } }),
    "a condition whose message is no text": ({ status }) => Object.assign(status.conditions[0], { message: { a: 1 } }),
    "a capacity that is no amount": ({ status }) => Object.assign(status, { capacity: { cpu: "many" } }),
    "a capacity below nothing": ({ status }) => Object.assign(status, { capacity: { cpu: "-1" } }),
    "a kernel version that is nothing": ({ status }) => Object.assign(status.nodeInfo, { kernelVersion: null }),
    "a name that is too long": ({ metadata }) => Object.assign(metadata, { name: "n".repeat(MOST_NAME_CHARS + 1) }),
  };
  for (const [why, change] of Object.entries(badNodes)) {
    test(`refused: a node with ${why}`, () => {
      const text = JSON.stringify(registering(change));
      assert.throws(() => parseToDispatcher(callFrame("s", 1, 1, text)), FrameError);
    });
  }

  const container = { name: "c", restartCount: 0, ready: true, image: "i", imageID: "", state: {} };
  const reporting = (status: Any) => ({ method: "report", reports: [{ key: "a/b", uid: "u", status }], events: [] });
  const withContainer = (more: Any) => ({ phase: "Running", containerStatuses: [{ ...container, ...more }] });
  const badStatuses: Readonly<Record<string, Any>> = {
    "an end that is nothing": withContainer({ state: { terminated: null } }),
    "an end without a code": withContainer({ state: { terminated: { exitCode: "x", reason: "R" } } }),
    "a wait that is nothing": withContainer({ state: { waiting: null } }),
    "a wait without a reason": withContainer({ state: { waiting: { reason: {} } } }),
    "a start at no time": withContainer({ state: { running: { startedAt: "soon" } } }),
    "a last state that is a number": withContainer({ lastState: 5 }),
    "a last end that is nothing": withContainer({ lastState: { terminated: null } }),
    "results of checks that are no list": withContainer({ healthResults: 5 }),
    "a result that is nothing": withContainer({ healthResults: [null] }),
    "a unit that is nothing": withContainer({ unit: null }),
    "children that are no containers": withContainer({ children: [5] }),
    "an image that is none": withContainer({ image: {} }),
    "an address that is a number": { phase: "Running", podIP: 5 },
    "an address of two lines": { phase: "Running", podIPs: [{ ip: 'evil\n"x' }] },
    "a message that is none": { phase: "Running", message: {} },
    "a start that is no time": { phase: "Running", startTime: "not a time" },
    "a condition since no time": {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: 5 }],
    },
  };
  for (const [why, status] of Object.entries(badStatuses)) {
    test(`refused: a status with ${why}`, () => {
      assert.throws(() => parseToDispatcher(callFrame("s", 1, 1, JSON.stringify(reporting(status)))), FrameError);
    });
  }

  test("what is whole is taken", () => {
    const state = { terminated: { exitCode: 137, signal: 9, reason: "Error", finishedAt: "2026-01-01T00:00:00Z" } };
    const whole = [
      registering(() => {}),
      reporting({ ...withContainer({ state }), podIP: "10.1.0.2", hostIP: "fe80::1" }),
    ];
    for (const call of whole) parseToDispatcher(callFrame("s", 1, 1, JSON.stringify(call)));
  });

  const deep = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  const event = { podKey: "a/b", podUid: "u", reason: "R", message: "m", type: "Normal" };
  const beats = (more: Any) => () => parseToDispatcher(beatFrame(1, { ...beat, ...more }));
  const calls = (call: Any) => () => parseToDispatcher(callFrame("s", 1, 1, JSON.stringify(call)));
  const most = (events: number) => ({ method: "report", reports: [], events: Array(events).fill(event) });

  test("refused: what nests deeper than anything of ours", () => {
    calls(reporting({ phase: "Running", x: deep(DEEPEST - 8) }))();
    assert.throws(calls(reporting({ phase: "Running", x: deep(DEEPEST) })), FrameError);
    assert.throws(calls(reporting({ phase: "Running", x: deep(1_000) })), FrameError);
  });

  test("refused: too much at once", () => {
    calls(most(MOST_EVENTS))();
    assert.throws(calls(most(MOST_EVENTS + 1)), FrameError);
    assert.throws(
      calls({
        method: "report",
        reports: Array(MOST_REPORTS + 1).fill({ key: "a/b", uid: "u", status: "gone" }),
        events: [],
      }),
      FrameError,
    );
    assert.throws(calls(reporting({ phase: "Running", message: "x".repeat(MOST_REPORT_CHARS) })), FrameError);
  });

  test("refused: a heartbeat with too long words or names", () => {
    beats({ message: "x".repeat(MOST_HEALTH_CHARS) })();
    assert.throws(beats({ message: "x".repeat(MOST_HEALTH_CHARS + 1) }), FrameError);
    assert.throws(beats({ bootId: "x".repeat(MOST_NAME_CHARS + 1) }), FrameError);
  });

  test("refused: what is too long, before it is read", () => {
    assert.throws(() => parseToDispatcher(" ".repeat(MOST_CALL_CHARS + 1)), FrameError);
  });
});

describe("frames to the agent", () => {
  test("each is read as it was written", () => {
    const answer = { renewed: true, known: true, terms: { heartbeatMs: 1_000 } };
    assert.deepEqual(parseToAgent(beatAnswerFrame(1, answer)), { type: "beat", id: 1, answer });
    assert.deepEqual(parseToAgent(doneFrame(2, undefined)), { type: "done", id: 2, result: null });
    const refused = { type: "refused", id: 3, reason: "Forbidden", message: 'with "quotes"' };
    assert.deepEqual(parseToAgent(refusedFrame(3, "Forbidden", 'with "quotes"')), refused);
    const text = podsFrame(1, 2, "changed", ['{"a":1}', '{"a":2}'], [{ key: "k", uid: "u" }]);
    const pods = { type: "pods", stream: 1, sequence: 2, part: "changed", pods: [{ a: 1 }, { a: 2 }] };
    assert.deepEqual(parseToAgent(text), { ...pods, removed: [{ key: "k", uid: "u" }], size: text.length });
    assert.deepEqual(parseToAgent(aliveFrame([[1, 5, 4]])), { type: "sign", streams: [[1, 5, 4]], offers: [] });
    assert.deepEqual(parseToAgent(aliveFrame([])), { type: "sign", streams: [], offers: [] });
    assert.deepEqual(parseToAgent(aliveFrame([], ["network"])), { type: "sign", streams: [], offers: ["network"] });
  });

  const network = (body: string) => [networkFrame(HEAD, body), packedFrame(HEAD, packTextNow(body))];
  const HEAD = { stream: 1, sequence: 2, part: "changed", revision: 3 } as const;

  test("what is told of the network is read as it was written, packed or not", () => {
    const entries = [{ kind: "names", id: "a", records: [] }];
    const removed = [{ kind: "names", id: "b" }];
    const body = `${JSON.stringify(entries)},${JSON.stringify(removed)}`;
    const [plain, packed] = network(body).map(parseToAgent) as [Any, Any];
    assert.deepEqual({ ...plain, size: 0 }, { type: "network", ...HEAD, entries, removed, size: 0 });
    assert.deepEqual({ ...packed, size: 0 }, { ...plain, size: 0 });
    assert.equal(packed.size, body.length, "what is acknowledged at once goes by what it was unpacked");
    const kept = new Set([0, 7, 511]);
    const rest = { ...HEAD, part: "kept", kept } as const;
    for (const frame of [networkFrame(rest, "[]"), packedFrame(rest, packTextNow("[]"))])
      assert.deepEqual((parseToAgent(frame) as Any).kept, kept);
  });

  test("refused: a packed frame that is more than a frame may be, or none, and shelves that are not ours", () => {
    const bomb = packedFrame(HEAD, packTextNow(`["${" ".repeat(MOST_FRAME_CHARS)}"]`));
    assert.ok(bomb.length < 4_096);
    const bad = [
      ...[
        bomb,
        packedFrame(HEAD, "AAAA"),
        packedFrame(HEAD, packTextNow("no JSON")),
        packedFrame(HEAD, packTextNow("5")),
      ],
      ...[networkFrame({ ...HEAD, part: "kept" }, "[]"), '["e",1,2,"kept",3,[],[],"AA=="]', '["z",1,2,"changed",3,5]'],
    ];
    for (const frame of bad) assert.throws(() => parseToAgent(frame), FrameError, frame.slice(0, 60));
  });
});
