import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rotateAccessLog } from "./access-log.ts";

test("an access log that has grown begins anew, for who has it open too, and five files are kept", async () => {
  const dir = mkdtempSync(join(tmpdir(), "styr-log-"));
  const path = join(dir, "access.log");
  assert.equal(await rotateAccessLog(path, 10), false, "one that is not there has not grown");
  const open = openSync(path, "a");
  for (let round = 0; round < 7; round++) {
    writeSync(open, `round ${round}: a line\n`);
    assert.equal(await rotateAccessLog(path, 10), true);
  }
  appendFileSync(path, "short");
  assert.equal(await rotateAccessLog(path, 10), false);
  assert.deepEqual(readdirSync(dir).sort(), [
    "access.log",
    "access.log.1",
    "access.log.2",
    "access.log.3",
    "access.log.4",
  ]);
  assert.equal(readFileSync(`${path}.1`, "utf8"), "round 6: a line\n");
  assert.equal(readFileSync(`${path}.4`, "utf8"), "round 3: a line\n");
  rmSync(dir, { recursive: true, force: true });
});
