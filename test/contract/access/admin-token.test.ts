import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { adminTokenApi } from "../../../src/app/admin-token-route.ts";
import { listenTls } from "../../../src/app/listen.ts";
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

test("what the old token has open ends with it; what the new one opens, and whoever changed it, do not", {
  timeout: 20_000,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), "styr-access-"));
  const pki = await openPki(dir, Date.now());
  const stage = await openStage({ limits: true, moreApis: [adminTokenApi(() => pki.renewToken())] });
  const listening = await listenTls(stage.plane.mounted, pki, { host: "127.0.0.1", port: 0 });
  const ask = async (method: string, path: string, token: string): Promise<IncomingMessage> => {
    const headers = { Authorization: `Bearer ${token}` };
    const sent = request(`${listening.url}${path}`, { method, headers, rejectUnauthorized: false, agent: false }).end();
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    answer.on("error", () => {});
    return answer;
  };
  try {
    const old = (await readFile(pki.files.token, "utf8")).trim();
    const watch = await ask("GET", "/api/v1/secrets?watch=true", old);
    assert.equal(watch.statusCode, 200);
    const ended = new Promise((resolve) => watch.resume().once("close", resolve));
    const changed = await ask("POST", "/styr/v1/admin-token", old);
    const { token } = JSON.parse((await changed.toArray()).join("")) as { readonly token: string };
    await ended;
    assert.equal((await ask("GET", "/api/v1/secrets?watch=true", old)).statusCode, 401);
    const next = await ask("GET", "/api/v1/secrets?watch=true", token);
    assert.equal(next.statusCode, 200);
    assert.equal(next.destroyed, false);
    next.destroy();
  } finally {
    await listening.close();
    await stage.close();
    await rm(dir, { recursive: true });
  }
});
