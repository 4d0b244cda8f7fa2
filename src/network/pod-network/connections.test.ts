import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ConnectionRoom, type Connections, hostConnections } from "./connections.ts";

describe("the host's table of connections", () => {
  test("is read from the kernel's two numbers, and a kernel that counts none has none", async () => {
    const folder = await mkdtemp(join(tmpdir(), "styr-connections-"));
    try {
      assert.equal(await hostConnections(folder), undefined);
      await writeFile(join(folder, "nf_conntrack_count"), "249036\n");
      await writeFile(join(folder, "nf_conntrack_max"), "262144\n");
      const room = new ConnectionRoom(() => hostConnections(folder));
      await room.look(0);
      assert.match(room.words ?? "", /almost full \(249,036 of 262,144\).*nf_conntrack_max=524288/);
      assert.deepEqual(room.facts, { connections: 249_036, "most connections": 262_144 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("with room for a tenth is not complained of; one that is full is, and probes that failed shortly after count for nothing", async () => {
    let now: Connections | undefined = { count: 899, max: 1000 };
    const room = new ConnectionRoom(async () => now);
    await room.look(0);
    assert.deepEqual([room.words, room.isFull, room.isBlind(0)], [undefined, false, false]);
    now = { count: 995, max: 1000 };
    await room.look(5_000);
    assert.match(room.words ?? "", /table of connections is full \(995 of 1,000\): what begins new ones is dropped/);
    assert.ok(room.isFull);
    now = { count: 10, max: 1000 };
    await room.look(6_000);
    assert.deepEqual(
      [room.words, room.isFull, room.isBlind(14_000), room.isBlind(15_000)],
      [undefined, false, true, false],
    );
    now = undefined;
    await room.look(7_000);
    assert.deepEqual(room.facts, {});
  });
});
