import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { MOST_FRAME_CHARS } from "./limits.ts";
import { FrameError } from "./shape.ts";
import { aliveFrame, beatAnswerFrame, doneFrame, parseToAgent, podsFrame, refusedFrame } from "./to-agent.ts";
import { beatFrame, callFrame, dropFrame, gotFrame, parseToDispatcher, signFrame } from "./to-dispatcher.ts";

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

  test("refused: what is too long, before it is read", () => {
    assert.throws(() => parseToDispatcher(" ".repeat(MOST_FRAME_CHARS + 1)), FrameError);
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
    assert.deepEqual(parseToAgent(aliveFrame([[1, 5, 4]])), { type: "sign", streams: [[1, 5, 4]] });
    assert.deepEqual(parseToAgent(aliveFrame([])), { type: "sign", streams: [] });
  });
});
