import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameReader, frame } from "./frames.ts";

test("property: messages come out as they went in, however the network divides them", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 });
  fc.assert(
    fc.property(messages, cuts, (sent, sizes) => {
      const bytes = Buffer.concat(sent.map(frame));
      const reader = new FrameReader();
      const received: Buffer[] = [];
      for (let at = 0, n = 0; at < bytes.byteLength; n++) {
        const size = sizes[n % sizes.length] ?? 1;
        received.push(...reader.push(bytes.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        received.map((each) => [...each]),
        sent.map((each) => [...each]),
      );
    }),
  );
});
