/** A host that is uninstalled is out of the cluster, whatever becomes of its files. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { uninstall } from "../../../src/app/join/uninstall.ts";
import { keepMembership, readMembership } from "../../../src/app/membership.ts";
import { readSettings } from "../../../src/app/settings.ts";
import { hostCertificates } from "../../../src/model/host-certificate.ts";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await openStage();
});
after(() => stage.close());

test("uninstalling tells the cluster before the files go: a mount among them leaves nobody in doubt", async (t) => {
  const state = stage.host("web-1");
  await stage.join(state, await stage.token());
  const membership = (await readMembership(state)) ?? assert.fail("it has joined");
  await keepMembership(state, { ...membership, servers: [stage.url] });
  const deep = join(state, "pki", "of", "somebody");
  mkdirSync(deep, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "styr-deep", deep]);
  if (mounted.status !== 0) return t.skip("nothing can be mounted here");
  const lines: string[] = [];
  const work = () => uninstall(readSettings({ state }, {}, 0), (line) => lines.push(line), { force: false });
  try {
    await assert.rejects(work, /EBUSY/);
  } finally {
    execFileSync("umount", ["-l", deep]);
  }
  assert.match(lines.join("\n"), /the cluster knows that web-1 has left/);
  assert.equal(stage.store.get(hostCertificates, "node.web-1"), undefined);
  await work();
});
