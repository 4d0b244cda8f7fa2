import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import fc from "fast-check";
import { type ReadLogsOptions, readLogs } from "./log-files.ts";
import { bytesPerFile, rotateLog } from "./log-rotation.ts";

describe("log files", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "styr-logs-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const write = (name: string, text: string, atSeconds: number) => {
    writeFileSync(join(dir, name), text);
    utimesSync(join(dir, name), atSeconds, atSeconds);
  };
  const read = async (options: ReadLogsOptions = {}) => {
    let text = "";
    for await (const { data } of readLogs(dir, options)) text += Buffer.from(data).toString();
    return text;
  };

  test("no directory, no output", async () => {
    assert.equal((await readLogs(join(dir, "none")).next()).done, true);
  });

  test("the rotated file comes first; of the streams, the one written to last comes last", async () => {
    write("stdout.log.1", "1\n", 10);
    write("stdout.log", "2\n", 30);
    write("stderr.log", "wrong\n", 20);
    assert.equal(await read(), "wrong\n1\n2\n");
  });

  test("since: files not written to since are left out", async () => {
    write("stdout.log.1", "old\n", 10);
    write("stdout.log", "new\n", 30);
    assert.equal(await read({ sinceMs: 20_000 }), "new\n");
  });

  test("the last lines go back into the rotated file and the other stream, and a line without end is one", async () => {
    write("stdout.log.1", "1\n2\n3\n", 10);
    write("stdout.log", "4\n5", 30);
    write("stderr.log", "a\nb\n", 20);
    assert.equal(await read({ tailLines: 1 }), "5");
    assert.equal(await read({ tailLines: 3 }), "3\n4\n5");
    assert.equal(await read({ tailLines: 6 }), "b\n1\n2\n3\n4\n5");
    assert.equal(await read({ tailLines: 0 }), "");
  });

  test("the last lines are what tail gives, whatever was written", async () => {
    const lines = fc.array(
      fc.string({ maxLength: 20 }).map((text) => text.replaceAll("\n", " ")),
      { maxLength: 50 },
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.nat(60), async (written, count) => {
        write("stdout.log", written.map((line) => `${line}\n`).join(""), 1);
        const expected = count === 0 ? [] : written.slice(-count);
        assert.equal(await read({ tailLines: count }), expected.map((line) => `${line}\n`).join(""));
      }),
      { numRuns: 50 },
    );
  });

  test("rotation: only what is too large, cut to its share at the start of a line", () => {
    const logBytes = 40_000;
    write("stdout.log", "short\n", 1);
    assert.equal(rotateLog(dir, "stdout", logBytes), 6);
    assert.equal(readFileSync(join(dir, "stdout.log"), "utf8"), "short\n");
    write("stdout.log", "line of text\n".repeat(10_000), 1);
    rotateLog(dir, "stdout", logBytes);
    const kept = readFileSync(join(dir, "stdout.log.1"), "utf8");
    assert.ok(kept.length <= bytesPerFile(logBytes) && kept.length > bytesPerFile(logBytes) - 20);
    assert.match(kept, /^line of text\n/);
    assert.equal(readFileSync(join(dir, "stdout.log"), "utf8"), "");
  });

  test("following goes on after a rotation where it was, and ends when told", async () => {
    write("stdout.log", "a".repeat(5000), 1);
    let asked = 0;
    const hasEnded = async () => {
      asked++;
      if (asked === 1) {
        appendFileSync(join(dir, "stdout.log"), "b".repeat(2000));
        rotateLog(dir, "stdout", 16_384);
        appendFileSync(join(dir, "stdout.log"), "c");
      }
      return asked === 2;
    };
    const text = await read({ follow: true, hasEnded });
    assert.ok(text === `${"a".repeat(5000)}${"b".repeat(2000)}c`, `${text.length} bytes`);
  });
});
