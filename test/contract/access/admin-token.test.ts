import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { adminTokenApi } from "../../../src/app/admin-token-route.ts";
import { openPki } from "../../../src/app/pki.ts";
import { ADMIN, openStage } from "./stage.ts";

test("the admin's token can be changed while the server runs: the old one is nobody's, also after a restart", async () => {
  const dir = await mkdtemp(join(tmpdir(), "styr-access-"));
  const pki = await openPki(dir, Date.now());
  const stage = await openStage({ moreApis: [adminTokenApi(() => pki.renewToken())] });
  try {
    const before = (await readFile(pki.files.token, "utf8")).trim();
    const { status, body, headers } = await stage.ask(ADMIN, "POST", "/styr/v1/admin-token");
    assert.deepEqual([status, headers.get("Cache-Control")], [200, "no-store"]);
    assert.notEqual(body.token, before);
    assert.equal((await readFile(pki.files.token, "utf8")).trim(), body.token);
    assert.equal((await stat(pki.files.token)).mode & 0o777, 0o600);
    for (const one of [pki, await openPki(dir, Date.now())]) {
      assert.equal(one.actorOfToken(before), undefined);
      assert.deepEqual(one.actorOfToken(body.token), { name: "admin", roles: ["admin"] });
    }
    const olga = { name: "olga", roles: ["operator"] as const };
    assert.equal((await stage.ask(olga, "POST", "/styr/v1/admin-token")).status, 403);
  } finally {
    await stage.close();
    await rm(dir, { recursive: true });
  }
});
