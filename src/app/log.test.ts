import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { BoundedFile } from "./bounded-file.ts";
import { openLog } from "./log.ts";

const DEADLINE_MS = 5_000;
const dir = mkdtempSync(join(tmpdir(), "styr-log-"));
after(() => rmSync(dir, { recursive: true, force: true }));

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) assert.fail(`not within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const linesOf = (path: string) => readFileSync(path, "utf8").trim().split("\n").filter(Boolean);
const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

describe("the log", () => {
  test("is lines of JSON with the fields of its parts, and no secret in a field or in words", async () => {
    const at = join(dir, "fields");
    const log = openLog(at, "info").with({ component: "agent", node: "n1" });
    log.warn("said Bearer abcdefghijkl0123", {
      pod: "default/web",
      token: "t0psecret",
      inner: { password: "hunter2" },
    });
    log.debug("not at this level");
    const path = join(at, "styr.log");
    await until("a line", () => sizeOf(path) > 0);
    const text = readFileSync(path, "utf8");
    const [line] = linesOf(path).map((one) => JSON.parse(one));
    assert.deepEqual([line.level, line.component, line.node, line.pod], [40, "agent", "n1", "default/web"]);
    assert.match(line.time, /^\d{4}-\d\d-\d\dT/);
    assert.doesNotMatch(text, /abcdefghijkl|t0psecret|hunter2|not at this level/);
  });

  test("is bounded, whatever is said: full files are moved aside and the oldest goes", async () => {
    const at = join(dir, "bounded");
    const log = openLog(at, "info", { bytes: 10_000, oldFiles: 2 });
    for (let n = 0; n < 1000; n++) {
      log.info("x".repeat(100), { n });
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until("the last line", () => readFileSync(join(at, "styr.log"), "utf8").includes('"n":999'));
    const files = readdirSync(at).sort();
    assert.deepEqual(files, ["styr.log", "styr.log.1", "styr.log.2"]);
    const bytes = files.reduce((sum, name) => sum + sizeOf(join(at, name)), 0);
    assert.ok(bytes < 3 * 20_000, `${bytes} bytes`);
    for (const name of files) for (const line of linesOf(join(at, name))) JSON.parse(line);
  });

  test("a file that cannot be moved aside costs lines, and no writer ends by it", async () => {
    const path = join(dir, "stuck.log");
    mkdirSync(`${path}.1`);
    let nowMs = 0;
    const file = new BoundedFile(path, { bytes: 10, oldFiles: 1 }, { monotonic: () => nowMs }, (n) => `lost ${n}\n`);
    file.write("longer than that\n");
    file.write("two\n");
    rmdirSync(`${path}.1`);
    nowMs = 1_000;
    file.write("three\n");
    await file.close();
    assert.match(readFileSync(path, "utf8"), /^longer than that\nlost 1\nthree\n$/);
  });

  test("a disk that fails costs the lines of that time; it is tried again, and hears how many were lost", async () => {
    const path = join(dir, "broken.log");
    mkdirSync(path);
    let nowMs = 0;
    const file = new BoundedFile(path, { bytes: 1e6, oldFiles: 1 }, { monotonic: () => nowMs }, (n) => `lost ${n}\n`);
    file.write("one\n");
    file.write("two\n");
    rmdirSync(path);
    nowMs = 1_000;
    file.write("four\n");
    await file.close();
    assert.match(readFileSync(path, "utf8"), /^lost 2\nfour\n$/);
  });
});
