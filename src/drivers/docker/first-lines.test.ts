import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LogChunk } from "../../model/streams.ts";
import { firstLines } from "./frames.ts";

describe("the end of a log that is still written", () => {
  async function* written(...texts: readonly string[]): AsyncGenerator<LogChunk> {
    for (const text of texts) yield { stream: "stdout", data: Buffer.from(text) };
  }
  const linesOf = async (lines: number, ...texts: readonly string[]) => {
    const seen: string[] = [];
    for await (const { data } of firstLines(written(...texts), lines)) seen.push(Buffer.from(data).toString());
    return seen;
  };

  test("has no more lines than were asked for, whatever comes while it is read", async () => {
    assert.deepEqual(await linesOf(2, "a\n", "b\n", "since then\n"), ["a\n", "b\n"]);
    assert.deepEqual(await linesOf(0, "a\n"), []);
  });

  test("a long line comes in several frames, and the last may not have ended yet", async () => {
    assert.deepEqual(await linesOf(2, "lo", "ng\n", "half"), ["lo", "ng\n", "half"]);
  });
});
