/** The disk under the state directory is full: nothing that runs suffers, and it is over when there is room again. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { containers, row, untilReady } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, until, type World } from "./world.ts";

describe("a full disk", { skip: cannot ?? false }, () => {
  let world: World;
  let state: string;
  let filler: string;

  before(async () => {
    state = mkdtempSync(join(tmpdir(), "styr-world-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=0711", "styr-full-disk", state]);
    filler = join(state, "filler");
    world = await makeWorld({ registry: true, state });
    await world.up();
    world.file("all/bell.service", "[Service]\nExecStart=/bin/sleep 100000\nRestart=always\nRestartSec=100ms\n");
    world.file(
      "all/box.yaml",
      "apiVersion: v1\nkind: Pod\nmetadata: { name: box }\nspec:\n  terminationGracePeriodSeconds: 1\n  containers: [{ name: c, image: 'busybox:1', command: [sleep, '100000'] }]\n",
    );
    await world.must("apply", "--no-wait", "-f", join(world.folder, "all"));
    await untilReady(world, ["bell.service", "box"]);
  });

  after(async () => {
    rmSync(filler, { force: true });
    await world.close().finally(() => execFileSync("umount", ["-l", state]));
    rmSync(state, { recursive: true, force: true });
    assert.deepEqual(leftovers(world), []);
  });

  const fill = () => {
    for (let size = statfsSync(state).bavail * 4096; size >= 512; size = Math.floor(size / 2)) {
      for (;;) {
        try {
          writeFileSync(filler, Buffer.alloc(size), { flag: "a" });
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
          break;
        }
      }
    }
  };

  const create = (name: string) =>
    fetch(`${world.httpUrl}/api/v1/namespaces/default/configmaps`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name },
        data: { text: "x".repeat(20_000) },
      }),
    });

  test("writes are refused with 503 and the reason, reads work", async () => {
    fill();
    let refused: Response | undefined;
    // What SQLite has in its log already can be written over.
    for (let n = 0; n < 200 && refused === undefined; n++) {
      const response = await create(`c${n}`);
      if (response.status !== 201) refused = response;
    }
    assert.equal(refused?.status, 503);
    assert.match(await refused.text(), /disk is full/);
    const { code, stderr, stdout } = await world.styr([
      "apply",
      "-f",
      world.file("more.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: { name: more }\n"),
    ]);
    assert.equal(code, 1);
    assert.match(stderr + stdout, /disk is full/);
    assert.match(await world.must("status"), /store .*(?:refuses|cannot|does not).*disk is full/);
    assert.match(await world.must("ps"), /box .*running/);
    assert.match(await world.must("logs", "box"), /^/);
  });

  test("what crashes is started again all the same", async () => {
    fill();
    const [unit] = keptBy(world);
    const [container] = await containers(world);
    assert.ok(unit && container);
    process.kill(unit, "SIGKILL");
    process.kill(Number(container.split(" ")[1]), "SIGKILL");
    await until(
      "unit and container run again",
      async () =>
        keptBy(world).length === 1 &&
        keptBy(world)[0] !== unit &&
        (await containers(world)).length === 1 &&
        (await containers(world))[0] !== container,
      async () =>
        `${keptBy(world)} was ${unit}\n${await containers(world)} was ${container}\n${world.said()}\n${await world.must("ps")}`,
    );
  });

  test("with room again writes work, and what happened meanwhile is told, without a restart of styr", async () => {
    rmSync(filler);
    await until("a write works", async () => (await create("after")).status === 201);
    assert.match(await world.must("status"), /store +writes/);
    await untilReady(world, ["bell.service", "box"]);
    await until("the restart is counted", async () => (await row(world, "box")).pods[0]?.restarts === 1);
    await world.must("delete", "box");
  });
});
