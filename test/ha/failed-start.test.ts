/** A first start that fails leaves nothing that keeps the host from joining a cluster. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { standingOf } from "../../src/app/join/standing.ts";
import { LateNodeAccess } from "../../src/app/late-node-access.ts";
import { ServerHalf } from "../../src/app/server/server-half.ts";
import { readSettings } from "../../src/app/settings.ts";
import { beginProcess } from "../../src/app/styr-process.ts";

async function failedStart(state: string): Promise<void> {
  const storePasswordFile = join(state, "is-not-there");
  const settings = readSettings({ state, store: "etcd://127.0.0.1:1", storeUser: "u", storePasswordFile }, {}, 0);
  const process = await beginProcess(settings, { say: () => {}, signal: new AbortController().signal });
  const opening = ServerHalf.open({ process, newStore: false, nodeAccess: new LateNodeAccess() });
  await assert.rejects(opening, /is-not-there/);
}

const mayJoin = (stateDir: string) =>
  standingOf({
    ...{ stateDir, url: new URL("https://127.0.0.1:1"), pin: "", nowMs: Date.now() },
    signal: new AbortController().signal,
  });

test("styr server with an etcd that cannot be opened: the keys it made are gone, and the host may join", async () => {
  const state = await mkdtemp(join(tmpdir(), "styr-failed-"));
  await failedStart(state);
  assert.equal(existsSync(join(state, "pki")), false);
  assert.equal(await mayJoin(state), undefined);
  await rm(state, { recursive: true });
});

test("keys that were there before stay", async () => {
  const state = await mkdtemp(join(tmpdir(), "styr-failed-"));
  await mkdir(join(state, "pki"));
  await writeFile(join(state, "pki/master.key"), "a copy that somebody has put there");
  await failedStart(state);
  assert.equal(existsSync(join(state, "pki/master.key")), true);
  await rm(state, { recursive: true });
});
