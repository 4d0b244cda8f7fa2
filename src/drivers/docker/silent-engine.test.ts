/** An engine that takes connections and never answers, as one that is stopped (SIGSTOP) or whose disk hangs. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Engine, engineAt } from "./engine.ts";
import { lookAtPodNetwork } from "./pod-network.ts";

describe("an engine that stands still", () => {
  const folder = mkdtempSync(join(tmpdir(), "styr-silent-engine-"));
  const socketPath = join(folder, "docker.sock");
  let server: Server;
  let engine: Engine;

  before(async () => {
    server = createServer(() => {}).listen(socketPath);
    await new Promise((resolve) => server.once("listening", resolve));
    engine = engineAt(`unix://${socketPath}`);
  });

  after(async () => {
    await engine.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is waited for no longer than was asked, although it has not said its version yet", {
    timeout: 10_000,
  }, async () => {
    await assert.rejects(
      engine.call({ method: "GET", path: "/info", timeoutMs: 50 }),
      /did not answer within 0\.05 s \(GET \/version\)/,
    );
    await assert.rejects(
      engine.call({ method: "GET", path: "/info", timeoutMs: 60 }),
      /within 0\.06 s/,
      "nor the next time",
    );
  });

  test("is asked for the pods' network a second at most: the start of an agent waits for it", {
    timeout: 10_000,
  }, async () => {
    await assert.rejects(lookAtPodNetwork(engine, { name: "styrmann", instance: "i" }), /did not answer within 1 s/);
  });
});
