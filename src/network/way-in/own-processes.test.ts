import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finishedStrays, processOf } from "./own-processes.ts";

describe("processes of one configuration:", () => {
  test("a master that another one took over from is finished when none of its workers is left", () => {
    const all = [
      ...[
        { pid: 10, parent: 1 },
        { pid: 11, parent: 10 },
      ],
      ...[
        { pid: 20, parent: 1 },
        { pid: 30, parent: 900 },
        { pid: 31, parent: 30 },
      ],
    ];
    assert.deepEqual(finishedStrays(all, 10), [20]);
    assert.deepEqual(finishedStrays([{ pid: 10, parent: 1 }], 10), []);
  });

  test("a process with another command is none of ours, whatever its number", async () => {
    assert.equal(await processOf(process.pid, "/way-in/haproxy.cfg"), undefined);
    assert.equal(await processOf(2 ** 22 + 1, "/way-in/haproxy.cfg"), undefined);
  });
});
