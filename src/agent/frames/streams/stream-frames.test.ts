import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FrameError } from "../shape.ts";
import { decodeFrame, encodeFrame, type StreamFrame } from "./stream-frames.ts";

const stream = fc.nat({ max: 2 ** 32 - 1 });
const json = fc.jsonValue({ maxDepth: 3 });
const frames: fc.Arbitrary<StreamFrame> = fc.oneof(
  fc.record({ type: fc.constantFrom("open" as const, "control" as const, "end" as const), stream, value: json }),
  fc.record({ type: fc.constant("ready" as const), stream }),
  fc.record({ type: fc.constant("credit" as const), stream, bytes: stream }),
  fc.record({
    type: fc.constant("reset" as const),
    stream,
    reason: fc.constantFrom("NotFound" as const, "Unavailable" as const, "TooManyRequests" as const),
    message: fc.string({ unit: "grapheme" }),
  }),
  fc.record({
    type: fc.constant("data" as const),
    stream,
    piece: fc.record(
      {
        channel: fc.constantFrom("stdin" as const, "stdout" as const, "stderr" as const),
        data: fc.uint8Array({ maxLength: 200 }),
        timeMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
      },
      { requiredKeys: ["channel", "data"] },
    ),
  }),
);

/** A Buffer and a Uint8Array of the same bytes are the same piece; what fast-check makes has no prototype. */
function plain(frame: StreamFrame): unknown {
  if (frame.type !== "data") return "value" in frame ? { ...frame, value: JSON.stringify(frame.value) } : { ...frame };
  return { ...frame, piece: { ...frame.piece, data: [...frame.piece.data] } };
}

describe("stream frames", () => {
  test("what is encoded is decoded", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        assert.deepEqual(plain(decodeFrame(encodeFrame(frame))), plain(frame));
      }),
    );
  });

  test("any bytes are a frame or a FrameError, and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeFrame(bytes);
        } catch (error) {
          assert.ok(error instanceof FrameError, String(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("a frame that was cut off is no shorter frame of another kind", () => {
    const whole = encodeFrame({ type: "reset", stream: 7, reason: "NotFound", message: "no such pod" });
    for (let bytes = 0; bytes < whole.length; bytes++) {
      assert.throws(() => decodeFrame(whole.subarray(0, bytes)), FrameError);
    }
  });
});
