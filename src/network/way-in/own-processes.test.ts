import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { finishedStrays, processesWith, processOf } from "./own-processes.ts";

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

  test("one with the same words in another host's file system is none of ours", async () => {
    const folder = mkdtempSync(join(tmpdir(), "styr-own-"));
    const config = join(folder, "haproxy.cfg");
    const begin = (...before: readonly string[]) => {
      const [program = "", ...args] = [...before, "sh", "-c", "echo begun; read line", "haproxy", "-W", "-f", config];
      return spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
    };
    const own = begin();
    const hidden = 'mount -t tmpfs none $0 && exec "$@"';
    const foreign = process.getuid?.() === 0 ? begin("unshare", "-m", "sh", "-c", hidden, folder) : undefined;
    try {
      for (const child of [own, foreign]) if (child) await once(child.stdout, "data");
      assert.deepEqual(
        (await processesWith(config)).map(({ pid }) => pid),
        [own.pid],
      );
    } finally {
      for (const child of [own, foreign]) child?.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
