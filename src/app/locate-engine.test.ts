import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { KeeperClient } from "../drivers/keeper/keeper-client.ts";
import { locateEngine } from "./locate-engine.ts";
import type { Settings } from "./settings.ts";

test("an engine that was there before and stands still keeps no agent from starting: it is neither waited for nor started again", {
  timeout: 20_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "styr-locate-"));
  const dockerHost = `unix://${join(folder, "docker.sock")}`;
  const server = createServer(() => {}).listen(join(folder, "docker.sock"));
  try {
    await new Promise((resolve) => server.once("listening", resolve));
    const settings = { stateDir: folder, mayInstall: true } as Settings;
    const io = { say: assert.fail, signal: new AbortController().signal };
    const { dockerHost: at, words } = await locateEngine(settings, {} as KeeperClient, io, dockerHost);
    assert.equal(at, dockerHost);
    assert.match(words, /no answer within 1 s/);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
