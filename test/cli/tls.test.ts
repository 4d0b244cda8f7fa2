import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listening, listenTls } from "../../src/app/listen.ts";
import { openPki, type Pki } from "../../src/app/pki.ts";
import { startCluster, type TestCluster } from "./cluster.ts";
import { styr } from "./run-styr.ts";

describe("styr over HTTPS:", () => {
  let state: string;
  let pki: Pki;
  let cluster: TestCluster;
  let listening: Listening;
  before(async () => {
    state = await mkdtemp(join(tmpdir(), "styr-tls-"));
    pki = await openPki(state, Date.now());
    cluster = await startCluster();
    listening = await listenTls(cluster.plane.mounted, pki, { host: "127.0.0.1", port: 0 });
  });
  after(async () => {
    await listening.close();
    await cluster.close();
    await rm(state, { recursive: true });
  });

  test("a CA that was not named is not believed, whatever the token", async () => {
    const { code, err } = await styr(listening.url, ["ps"], "", { STYR_TOKEN: "secret" });
    assert.equal(code, 1);
    assert.match(err, /from a CA that is not known here\nnext: --ca FILE/);
  });

  test("with the CA and without a token: nobody", async () => {
    const { code, err } = await styr(listening.url, ["ps"], "", { STYR_CA: pki.files.ca });
    assert.equal(code, 1);
    assert.match(err, /the server does not know you\nnext: --token TOKEN/);
  });

  test("with both: applying, listing and commands with their input", async () => {
    const env = { STYR_CA: pki.files.ca, STYR_TOKEN: (await readFile(pki.files.token, "utf8")).trim() };
    const unit = "[Service]\nExecStart=/bin/sleep 100\n";
    const applied = await styr(listening.url, ["apply", "-", "--name", "a.service"], unit, env);
    assert.equal(applied.code, 0, applied.err);
    assert.match((await styr(listening.url, ["ps"], "", env)).out, /a\.service +unit +1\/1 +running/);
    const ran = await styr(listening.url, ["exec", "a", "--", "echo", "3"], "typed", env);
    assert.deepEqual([ran.code, ran.out], [3, "ran echo 3\nread typed"]);
  });
});
