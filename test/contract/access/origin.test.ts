import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listening, listenTls } from "../../../src/app/listen.ts";
import { openPki } from "../../../src/app/pki.ts";
import { openStage, type Stage } from "./stage.ts";

describe("a browser that has a client certificate", () => {
  let dir: string;
  let stage: Stage;
  let listening: Listening;
  let proof: { ca: string; cert: string; key: string };
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "styr-access-"));
    const pki = await openPki(dir, Date.now());
    stage = await openStage();
    listening = await listenTls(stage.plane.mounted, pki, { host: "127.0.0.1", port: 0 });
    const text = (name: string) => readFile(join(dir, "pki", name), "utf8");
    proof = { ca: await text("ca.crt"), cert: await text("admin.crt"), key: await text("admin.key") };
  });
  after(async () => {
    await listening.close();
    await stage.close();
    await rm(dir, { recursive: true });
  });

  const ask = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const sent = get(
        `${listening.url}/styr/v1/nodes`,
        { ...proof, agent: false, headers },
        (response: IncomingMessage) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      sent.on("error", reject);
    });

  test("asks for its own page, and for no other", async () => {
    assert.equal(await ask({}), 200);
    assert.equal(await ask({ Origin: listening.url }), 200);
    for (const origin of ["https://evil.example", "null", listening.url.replace("https", "http")])
      assert.equal(await ask({ Origin: origin }), 401, origin);
  });

  test("asks with a token for whatever page has it", async () => {
    const token = (await readFile(join(dir, "pki/admin.token"), "utf8")).trim();
    assert.equal(await ask({ Origin: "https://evil.example", Authorization: `Bearer ${token}` }), 200);
  });
});
