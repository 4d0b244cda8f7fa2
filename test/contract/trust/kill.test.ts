/** A join that is killed leaves something that the same command finishes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { identityFiles } from "../../../src/app/membership.ts";
import { NodeIdentity } from "../../../src/app/trust/node-identity.ts";
import { joinTokens } from "../../../src/model/join-token.ts";
import { hasJoined, openStage } from "./stage.ts";

const SCRIPT = fileURLToPath(new URL("join-once.ts", import.meta.url));

test("killed again and again, the same line joins in the end, with one use of the token, and leaves nothing half", async () => {
  const stage = await openStage();
  const token = await stage.token();
  const state = stage.host("web-1");
  let kills = 0;
  // From before anything was written to after all was; the script itself needs some 300 ms to begin.
  for (let ms = 150; !(await joinKilledAfter(ms, [state, stage.url, token])); ms += 15) {
    kills++;
    assert.ok(kills < 400, "it joins in the end");
    // Whatever is there is whole: either no membership, or one that works.
    if (await hasJoined(state)) await NodeIdentity.open(state);
  }
  const identity = await NodeIdentity.open(state);
  assert.equal(new X509Certificate(identity.current().certPem).subject, "CN=web-1\nO=styrmann:node");
  assert.equal(stage.store.get(joinTokens, token.split(".")[2] ?? "")?.spec.used.length, 1);
  assert.ok(!existsSync(join(state, "joining")));
  const left = (await readdir(join(state, "pki"))).filter((name) => /\.(new|next)$/.test(name));
  assert.deepEqual(left, []);
  assert.match(await readFile(identityFiles(state).ca, "utf8"), /BEGIN CERTIFICATE/);
  await stage.close();
});

/** Whether it was through before it was killed. */
function joinKilledAfter(ms: number, words: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", SCRIPT, ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let heard = "";
    child.stdout.on("data", (data) => (heard += data));
    const killing = setTimeout(() => child.kill("SIGKILL"), ms);
    child.on("close", () => {
      clearTimeout(killing);
      resolve(heard.includes("joined"));
    });
  });
}
