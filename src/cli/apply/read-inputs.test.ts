import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { readInputs } from "./read-inputs.ts";

const APP = '{"id":"a","cmd":"sleep 1"}';
const read = (path: string, stdin = Readable.from([])) => readInputs([path], stdin, { recursive: false });

async function inFolder(work: (folder: string, fifo: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "styrmann-inputs-"));
  execFileSync("mknod", [join(folder, "fifo.json"), "p"]);
  try {
    await work(folder, join(folder, "fifo.json"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("inputs", () => {
  test("a FIFO in a folder is passed by, and one that is named is read", () =>
    inFolder(async (folder, fifo) => {
      await writeFile(join(folder, "a.json"), APP);
      // Whoever waits at the FIFO gets nothing from it, so that also a failing test ends.
      const release = setInterval(() => {
        try {
          closeSync(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK));
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, "ENXIO");
        }
      }, 500);
      assert.equal((await read(folder).finally(() => clearInterval(release))).length, 1);
      const writer = spawn("dd", [`of=${fifo}`, "status=none"], { stdio: ["pipe", "ignore", "inherit"] });
      const closed = once(writer, "close");
      writer.stdin?.end(APP);
      assert.equal((await read(fifo)).length, 1);
      await closed;
    }));

  test("what never ends is given up, whatever its size is said to be", async () => {
    await assert.rejects(read("/dev/zero"), /\/dev\/zero: it is larger than 256 MiB$/);
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1024 * 1024);
      })(),
    );
    await assert.rejects(read("-", endless), /standard input: it is larger than 256 MiB$/);
  });
});
