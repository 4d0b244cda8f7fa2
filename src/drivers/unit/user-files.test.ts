import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { defaultService, type ServiceSettings } from "../../model/unit/service-settings.ts";
import { unmetCondition } from "./conditions.ts";
import { readEnvironmentFiles } from "./environment-files.ts";
import { findMainPid } from "./main-pid.ts";

async function inFolder(work: (folder: string, fifo: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "styrmann-files-"));
  const fifo = join(folder, "fifo");
  execFileSync("mknod", [fifo, "p"]);
  let waited = 0;
  const release = setInterval(() => {
    waited += releaseReader(fifo);
  }, 500);
  try {
    await work(folder, fifo);
    assert.equal(waited, 0, "something waited at the FIFO until it was opened for writing");
  } finally {
    clearInterval(release);
    await rm(folder, { recursive: true });
  }
}

/** ENXIO: nobody reads (fifo(7)). Else the reader goes on, so that also a failing test ends. */
function releaseReader(fifo: string): number {
  try {
    closeSync(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK));
    return 1;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENXIO");
    return 0;
  }
}

const read = (path: string, isOptional = false) => readEnvironmentFiles([{ path, isOptional, line: 1 }]);

describe("files that a unit names", () => {
  test("a FIFO, a device without end and a huge file are no EnvironmentFile; /dev/null is an empty one", () =>
    inFolder(async (folder, fifo) => {
      for (let count = 0; count < 8; count++) await assert.rejects(read(fifo), /fifo: it is not a regular file/);
      assert.deepEqual(await read(fifo, true), []);
      await assert.rejects(read("/dev/zero"), /EnvironmentFile=\/dev\/zero: it is not a regular file/);
      await assert.rejects(read(folder), /it is not a regular file/);
      assert.deepEqual(await read("/dev/null"), []);
      await writeFile(join(folder, "huge"), "A=1\n".repeat(300_000));
      await assert.rejects(read(join(folder, "huge")), /huge: it is larger than 1048576 bytes/);
      await writeFile(join(folder, "env"), "A=1\n");
      assert.deepEqual(await read(join(folder, "env")), [["A", "1"]]);
    }));

  test("two stars in a pattern do not search every folder below", () =>
    inFolder(async (folder) => {
      await mkdir(join(folder, "a/b"), { recursive: true });
      await writeFile(join(folder, "a/one.env"), "A=1\n");
      await writeFile(join(folder, "a/b/two.env"), "B=1\n");
      assert.deepEqual(await read(join(folder, "**/*.env")), [["A", "1"]]);
    }));

  test("a FIFO as PIDFile says as little as none", () =>
    inFolder(async (folder, fifo) => {
      assert.equal(await findMainPid({ pidFile: fifo, guesses: false }, [1]), undefined);
      assert.equal(await findMainPid({ pidFile: "/dev/zero", guesses: false }, [1]), undefined);
      await writeFile(join(folder, "pid"), " 7\n");
      assert.equal(await findMainPid({ pidFile: join(folder, "pid"), guesses: false }, [1, 7]), 7);
    }));

  test("a condition on a FIFO is answered without reading it; a file of /proc is not empty", () =>
    inFolder(async (_folder, fifo) => {
      const unmet = (kind: "FileNotEmpty" | "DirectoryNotEmpty", value: string) => {
        const condition = { kind, value, negated: false, isTrigger: false, isAssertion: false };
        const service: ServiceSettings = { ...defaultService("x.service"), conditions: [condition] };
        return unmetCondition(service, { hostname: "n", machineId: "m" });
      };
      assert.match((await unmet("FileNotEmpty", fifo)) ?? "", /does not hold/);
      assert.match((await unmet("DirectoryNotEmpty", fifo)) ?? "", /does not hold/);
      assert.equal(await unmet("FileNotEmpty", "/proc/self/status"), undefined);
    }));
});
