import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stopRunning } from "./stop-running.ts";

test("a styr that ends while it is asked to stop is said to, and what to do: another styr down may be at it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "styr-stop-"));
  const socketPath = join(folder, "styr.sock");
  const asked: string[] = [];
  const server = createServer(({ method, url, socket }) => {
    asked.push(`${method} ${url}`);
    socket.destroy();
  }).listen(socketPath);
  try {
    await new Promise((resolve) => server.once("listening", resolve));
    await assert.rejects(stopRunning(socketPath), /another styr down may be at it; run styr down again/);
    assert.deepEqual(asked, ["POST /styr/v1/stop?for=down"], "its cluster is to hear of it");
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
