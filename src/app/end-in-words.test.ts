import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

const dir = mkdtempSync(join(tmpdir(), "styr-end-"));
after(() => rmSync(dir, { recursive: true, force: true }));

/** A process that says why it ends, and then has this bug. */
function ended(name: string, bug: string) {
  const logs = join(dir, name);
  const file = join(import.meta.dirname, "end-in-words.ts");
  const script = `import { endInWords } from ${JSON.stringify(file)}; endInWords(${JSON.stringify(logs)}); ${bug}; setTimeout(() => {}, 60_000);`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  const log = () => readFileSync(join(logs, "styr.log"), "utf8").trim().split("\n");
  return { status, stderr, log };
}

describe("a process that ends by a bug", () => {
  test("says so on stderr and in its log, with where it happened, and exits with 1", () => {
    const { status, stderr, log } = ended("thrown", `setTimeout(() => { throw new Error("the roof is gone") }, 1)`);
    assert.equal(status, 1);
    assert.match(stderr, /a bug ended this process \(uncaughtException\).*the roof is gone\n +at /s);
    const line = JSON.parse(log().at(-1) ?? "");
    assert.equal(line.level, 60);
    assert.match(line.error, /the roof is gone\n +at /);
  });

  test("also by a rejection that nobody waits for, and by an event 'error' that nobody hears", () => {
    const rejected = ended("rejected", `void Promise.reject(new Error("nobody waits"))`);
    assert.equal(rejected.status, 1);
    assert.match(rejected.log().join(), /unhandledRejection.*nobody waits/);
    const unheard = ended(
      "unheard",
      `new (await import("node:events")).EventEmitter().emit("error", new Error("unheard"))`,
    );
    assert.equal(unheard.status, 1);
    assert.match(unheard.log().join(), /unheard/);
  });

  test("secrets stay out of what it says", () => {
    const token = `styr-u.abcd.${"x".repeat(32)}`;
    const { stderr, log } = ended("secret", `throw new Error("bad token ${token}")`);
    assert.doesNotMatch(stderr + log().join(), /x{32}/);
  });

  test("who no longer reads what it says does not end it", () => {
    const broken = `process.stdout.emit("error", Object.assign(new Error("EPIPE"), { code: "EPIPE" })); process.exit(7)`;
    assert.equal(ended("epipe", broken).status, 7);
  });
});
