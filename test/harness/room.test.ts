import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, test } from "node:test";
import { aloneInRoom } from "../lab/harness/room.ts";

const ROOM = join(import.meta.dirname, "../lab/harness/room.ts");

describe("the room of the labs", () => {
  test("has one at a time, also after one who failed", async () => {
    const name = `\0styrmann-room-${process.pid}`;
    let inside = 0;
    const one = (fails: boolean) =>
      aloneInRoom(async () => {
        assert.equal(++inside, 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        inside--;
        if (fails) throw new Error("failed");
      }, name);
    const ended = await Promise.allSettled([one(true), one(false), one(false)]);
    assert.deepEqual(ended.map(({ status }) => status).sort(), ["fulfilled", "fulfilled", "rejected"]);
  });

  test("is free again when who was in it was killed; who waits in vain is told", async () => {
    const name = `\0styrmann-room-${process.pid}-killed`;
    const code = `import(${JSON.stringify(ROOM)}).then(({ aloneInRoom }) =>
      aloneInRoom(() => new Promise(() => console.log("in")), ${JSON.stringify(name)}));`;
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await assert.rejects(
      aloneInRoom(async () => undefined, name, 100),
      /has had the room for too long/,
    );
    child.kill("SIGKILL");
    assert.equal(await aloneInRoom(async () => "mine", name, 10_000), "mine");
  });
});
