/** `styr down` after `styr server`: no agent ran there, so cgroups of the same names are somebody else's. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { down } from "../../src/app/down.ts";
import { keepPlace } from "../../src/app/instance.ts";
import { readSettings } from "../../src/app/settings.ts";
import { detectLayout } from "../../src/drivers/cgroup/layout.ts";
import { SystemRandom } from "../../src/seams/random.ts";

test("down leaves the cgroups alone where only a server ran", { skip: process.geteuid?.() !== 0 }, async () => {
  const scratch = mkdtempSync(join(tmpdir(), "styr-down-"));
  const stateDir = join(scratch, "state");
  const cgroup = `stranger-${basename(scratch).toLowerCase()}`;
  const foreign = detectLayout().hierarchies.flatMap(({ path }) => [
    join(path, cgroup),
    join(path, `${cgroup}-keeper`),
  ]);
  try {
    const settings = readSettings({ state: stateDir, cgroup, network: cgroup }, {});
    const dockerHost = `unix://${scratch}/none.sock`;
    const { networkName: network, podRange } = settings;
    const place = await keepPlace(stateDir, { network, cgroup, podRange, dockerHost }, new SystemRandom());
    writeFileSync(join(stateDir, "store.db"), "");
    for (const path of foreign) mkdirSync(path);
    const said: string[] = [];
    await down(settings, place, (line) => said.push(line), { force: false });
    assert.deepEqual(said, [`removed ${stateDir}`]);
    for (const path of foreign) assert.ok(existsSync(path), path);
  } finally {
    for (const path of foreign) if (existsSync(path)) rmdirSync(path);
    rmSync(scratch, { recursive: true, force: true });
  }
});
