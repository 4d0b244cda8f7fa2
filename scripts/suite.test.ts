import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Tally } from "./suite.ts";

/** In a process of its own: within a test there are no runs of tests. */
function stageOf(text: string): { readonly tally: Tally; readonly output: string } {
  const dir = mkdtempSync(join(tmpdir(), "styr-suite-"));
  const [file, main, result] = [join(dir, "some.test.mjs"), join(dir, "main.mjs"), "\nRESULT "];
  writeFileSync(file, `import { test } from "node:test";\n${text}`);
  const stage = JSON.stringify({ name: "some", files: [], concurrency: 1, timeoutMs: 60_000, limitMs: 3_000 });
  const code = `import { emptyTally, runStage } from ${JSON.stringify(join(import.meta.dirname, "suite.ts"))};
    const tally = emptyTally();
    await runStage(${stage}, [${JSON.stringify(file)}], tally);
    console.log(${JSON.stringify(result)} + JSON.stringify(tally));`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  writeFileSync(main, code);
  const args = ["--disable-warning=ExperimentalWarning", main];
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8", timeout: 60_000 });
  rmSync(dir, { recursive: true });
  const [output = "", tally] = stdout.split(result);
  assert.ok(tally, stdout + stderr);
  return { output, tally: JSON.parse(tally) as Tally };
}

describe("a stage", () => {
  test("counts what passed, failed and did not run, and shows it", () => {
    const { tally, output } = stageOf(`
      test("one", () => {});
      test("two", () => { throw new Error("no"); });
      test("three", { skip: "no dockerd" }, () => {});`);
    assert.deepEqual([tally.passed, tally.failed, tally.notRun], [1, 1, ["three: no dockerd"]]);
    assert.match(tally.failures[0] ?? "", /^two \(.*\)\n +no$/);
    assert.match(output, /=== some: 1 files[\s\S]*one[\s\S]*=== some: \d+ s/);
  });

  test("says of a failure what it was, and no more than its first lines", () => {
    const { tally } = stageOf(`test("one", () => { throw new Error("line of it\\n".repeat(100)); });`);
    assert.deepEqual(tally.failures[0]?.split("\n").slice(1), Array(12).fill(`${" ".repeat(11)}line of it`));
  });

  test("ends, as a failure, when a file's tests are over and it does not end", () => {
    const { tally } = stageOf(`test("one", () => {});\nsetInterval(() => {}, 1000);`);
    assert.deepEqual([tally.passed, tally.failed], [1, 1]);
    assert.match(tally.failures[0] ?? "", /some\.test\.mjs/);
  });
});
