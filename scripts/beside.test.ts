import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startBeside } from "./beside.ts";

const script = (text: string): [string, ...string[]] => [
  process.execPath,
  ...["--disable-warning=ExperimentalWarning", "--input-type=module", "-e"],
  `import { reportBack, stepBack } from ${JSON.stringify(join(import.meta.dirname, "beside.ts"))};\n${text}`,
];
const TALLY = { passed: 3, failed: 1, failures: ["one"], notRun: ["another: no dockerd"] };

describe("a stage beside others", () => {
  test("gives its words and its numbers when it has ended", async () => {
    const beside = startBeside("sim", script(`console.log("=== sim"); await reportBack(${JSON.stringify(TALLY)});`));
    assert.equal(beside.now(), undefined);
    assert.deepEqual(await beside.ended, { name: "sim", output: "=== sim\n", tally: TALLY });
    assert.deepEqual(beside.now(), await beside.ended);
  });

  test("and what it starts have the lowest priority", async () => {
    const nice = `process.stdout.write(execFileSync("nice"));`;
    const words = `import { execFileSync } from "node:child_process"; stepBack(); ${nice} await reportBack(${JSON.stringify(TALLY)});`;
    const { output, tally } = await startBeside("sim", script(words)).ended;
    assert.match(output, /^19$/m);
    assert.equal(tally.passed, 3);
  });

  test("that dies is a failure, with its last words", async () => {
    const { output, tally } = await startBeside("sim", script(`console.error("ouch"); process.exit(3);`)).ended;
    assert.match(output, /ouch/);
    assert.deepEqual(tally.failures, ["sim ended with 3 and no result"]);
    assert.equal(tally.failed, 1);
  });

  test("ends with whoever started it", async () => {
    const inner = script(`stepBack(); console.log("pid", process.pid); setInterval(() => {}, 1000);`);
    const outer = `import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ${JSON.stringify(inner.slice(1))}, { detached: true, stdio: ["ignore", "pipe", "inherit", "ipc"] });
      child.stdout.on("data", (text) => { process.stdout.write(text); process.kill(process.pid, "SIGKILL"); });`;
    const { output } = await startBeside("outer", script(outer)).ended;
    const pid = Number(/^pid (\d+)$/m.exec(output)?.[1]);
    assert.ok(pid > 1, output);
    const from = performance.now();
    while (isAlive(pid)) {
      assert.ok(performance.now() - from < 10_000, `${pid} has not ended`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}
