import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("a process that ran a world outlives what somebody in it waits for in vain", () => {
  const module = JSON.stringify(join(import.meta.dirname, "late-rejections.ts"));
  const program = `const { allowLateRejections } = await import(${module}); allowLateRejections();
    void Promise.reject(new Error("the store is closed")); setTimeout(() => console.log("alive"), 10);`;
  const out = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  assert.equal(out, "alive\n");
});
