import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { LogChunk } from "../model/streams.ts";
import { linesOf } from "./logs.ts";
import { mergeStreams } from "./merge-streams.ts";

async function* chunks(parts: readonly Uint8Array[]): AsyncGenerator<LogChunk> {
  for (const data of parts) yield { stream: "stdout", data };
}

describe("lines of output:", () => {
  test("do not depend on where the chunks end, also in the middle of a character", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.nat(200)), async (lines, cuts) => {
        const clean = lines.map((line) => line.replaceAll(/[\r\n]/g, ""));
        const bytes = Buffer.from(clean.map((line) => `${line}\n`).join(""));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const parts = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const seen = [];
        for await (const { line } of linesOf(chunks(parts))) seen.push(line);
        assert.deepEqual(seen, clean);
      }),
    );
  });

  test("the last line needs no newline, and a line without end is cut into pieces", async () => {
    const seen = [];
    for await (const { line } of linesOf(chunks([Buffer.from("a\r\nb"), Buffer.alloc(200_000, "x")])))
      seen.push(line.length);
    assert.deepEqual(seen, [1, 65536, 65536, 65536, 200_001 - 3 * 65536]);
  });

  test("of several streams, each keeps its order, and one that is silent does not hold up the others", async () => {
    const silence = Promise.withResolvers<void>();
    const silent = async function* () {
      await silence.promise;
      yield "late";
    };
    const talking = async function* () {
      yield* ["a", "b", "c"];
    };
    const seen = [];
    for await (const word of mergeStreams([silent(), talking()])) {
      seen.push(word);
      if (word === "c") silence.resolve();
    }
    assert.deepEqual(seen, ["a", "b", "c", "late"]);
  });
});
