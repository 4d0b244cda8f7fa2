/** The store is lost, and the backup is older than what runs: nothing stops, and a person says what is meant. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { rows, untilReady } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, until, type World } from "./world.ts";

const unit = (seconds: number) => `[Service]\nExecStart=/bin/sleep ${seconds}\n`;

describe("backup and restore", { skip: cannot ?? false }, () => {
  let world: World;
  let backup: string;

  before(async () => {
    world = await makeWorld();
    backup = join(world.folder, "backup.gz");
    await world.up();
    await world.must("apply", "-f", world.file("old.service", unit(100_001)));
    await world.must("apply", "-f", world.file("secret.yaml", SECRET));
    await untilReady(world, ["old.service"]);
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  test("a backup is whole or not there, does not overwrite, and holds no secret in clear", async () => {
    assert.match(await world.must("backup", backup), /objects at revision \d+/);
    const again = await world.styr(["backup", backup]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /is there already: --force replaces it/);
    await world.must("backup", backup, "--force");
    assert.match(await world.must("backup", "--check", backup), /is whole: .*\n.*1 Secret/);
    const cut = world.file("cut.gz", "");
    writeFileSync(cut, readFileSync(backup).subarray(0, 500));
    const broken = await world.styr(["restore", cut, "--state", join(world.folder, "none")]);
    assert.match(broken.stderr, /cut\.gz: it is cut off/);
    const text = (await world.run("zcat", [backup])).stdout;
    assert.match(text, /"kind":"Secret","key":"default\/db".*"sealed"/);
    assert.doesNotMatch(text, /aHVudGVyMg==/);
  });

  test("restored over a lost store, it lets run what it does not know, says so, and reads its secrets", async () => {
    await world.must("apply", "-f", world.file("newer.service", unit(100_002)));
    await untilReady(world, ["newer.service"]);
    const running = keptBy(world);
    assert.equal(running.length, 2);
    const refused = await world.styr(["restore", backup, "--state", world.state]);
    assert.match(refused.stderr, /styr is running on/);
    await world.kill9();
    for (const file of ["store.db", "store.db-wal", "store.db-shm"]) rmSync(join(world.state, file), { force: true });
    await world.must("restore", backup, "--state", world.state);
    await world.up();
    await until(
      "the node says what it keeps",
      async () => /newer\.service/.test(await world.must("restore", "status")),
      () => world.must("restore", "status"),
    );
    assert.deepEqual(keptBy(world), running, "the same processes");
    assert.match(
      await world.must("status"),
      /^THIS CLUSTER WAS RESTORED from a backup .* 1 pod runs that it does not know/,
    );
    assert.deepEqual(
      (await rows(world)).map(({ name }) => name),
      ["old.service"],
    );
    assert.match(await world.must("inspect", "Secret/default/db"), /aHVudGVyMg==/);
  });

  test("nothing is stopped without a word, and only what is not known once it was said", async () => {
    const both = keptBy(world);
    const asked = await world.styr(["restore", "confirm"]);
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /not confirmed: pods would be stopped/);
    assert.deepEqual(keptBy(world), both);
    await world.must("restore", "confirm", "--stop-unknown");
    await until(
      "the newer one has ended",
      () => keptBy(world).length === 1,
      () => String(keptBy(world)),
    );
    await untilReady(world, ["old.service"]);
    assert.doesNotMatch(await world.must("status"), /RESTORED/);
  });

  test("on another host the same cluster comes to be: its CA, and its secrets with its master key only", async () => {
    const other = join(world.folder, "other");
    const without = await world.styr(["restore", backup, "--state", other]);
    assert.match(without.stderr, /master\.key is not there/);
    assert.equal(existsSync(join(other, "store.db")), false);
    const key = join(world.state, "pki/master.key");
    await world.must("restore", backup, "--state", other, "--master-key-file", key);
    assert.equal(
      readFileSync(join(other, "pki/ca.crt"), "utf8"),
      readFileSync(join(world.state, "pki/ca.crt"), "utf8"),
    );
    assert.match(await world.must("store", "check", "--state", other), /all can be read/);
  });
});

const SECRET = `
apiVersion: v1
kind: Secret
metadata: { name: db }
data: { password: aHVudGVyMg== }
`;
