import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomFillSync, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import timers from "node:timers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SimFailure } from "./contract.ts";
import { runSeed } from "./swarm/run-seed.ts";
import { createWorld } from "./world.ts";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const SEEDS = [1, 2, 3, 4, 5];
const SIZE = {
  nodes: ["a", "b", "c"].map((name) => ({ name, zone: "z1", cpuMillis: 4_000, memoryBytes: 8 * 2 ** 30 })),
};

async function hashInOwnProcess(seed: number): Promise<string> {
  const { stdout } = await run(process.execPath, [MAIN, "--seed", String(seed)], { maxBuffer: 2 ** 24 });
  return /trace ([0-9a-f]{16})/.exec(stdout)?.[1] ?? stdout;
}

describe("a world", () => {
  test("runs the production code: a controller's pods become ready through the HTTP handlers", async () => {
    const world = await createWorld(1, SIZE);
    try {
      const container = { name: "web", image: "fake/run", readinessProbe: { httpGet: { port: 80, path: "/" } } };
      const template = { metadata: { labels: { app: "web" } }, spec: { containers: [container] } };
      const spec = { replicas: 5, selector: { app: "web" }, template };
      const body = { apiVersion: "v1", kind: "ReplicationController", metadata: { name: "web" }, spec };
      const path = "/api/v1/namespaces/default/replicationcontrollers";
      assert.equal((await world.request({ method: "POST", path, body })).status, 201);
      const answer = async () => JSON.parse((await world.request({ method: "GET", path: `${path}/web` })).text);
      await world.run(5_000);
      assert.equal((await answer()).status.readyReplicas, 5);
      assert.equal((await world.request({ as: "viewer", method: "POST", path, body })).status, 403);
      assert.equal((await world.request({ as: "anonymous", method: "GET", path })).status, 401);
    } finally {
      world.close();
    }
  });

  test("what is acknowledged outlives a crash of the control plane, and what runs goes on", async () => {
    const world = await createWorld(2, SIZE);
    try {
      const pod = { containers: [{ name: "one", image: "fake/run" }] };
      const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "one" }, spec: pod };
      const path = "/api/v1/namespaces/default/pods";
      assert.equal((await world.request({ method: "POST", path, body })).status, 201);
      await world.run(2_000);
      const calls: string[] = [];
      world.observe({ driver: ({ what }) => void calls.push(what) });
      world.server.crash();
      assert.equal((await world.request({ method: "GET", path: `${path}/one` })).status, 0);
      await world.run(60_000);
      await world.server.start();
      await world.run(10_000);
      const read = await world.request({ method: "GET", path: `${path}/one` });
      assert.equal(JSON.parse(read.text).status.phase, "Running");
      assert.deepEqual(calls, []);
    } finally {
      world.close();
    }
  });

  test("ambient time and chance throw while it exists, and are back afterwards", async () => {
    const world = await createWorld(3, SIZE);
    const refused = (ask: () => unknown) => assert.throws(ask, (error) => error instanceof SimFailure);
    try {
      refused(() => Date.now());
      refused(() => new Date());
      refused(() => Math.random());
      refused(() => performance.now());
      refused(() => randomUUID());
      refused(() => globalThis.crypto.randomUUID());
      refused(() => setTimeout(() => {}, 1));
      refused(() => timers.setTimeout(() => {}, 1));
      refused(() => AbortSignal.timeout(1));
      refused(() => process.hrtime());
      refused(() => randomFillSync(Buffer.alloc(1)));
      assert.equal(new Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
      assert.ok(new Date(5) instanceof Date);
      await assert.rejects(world.run(1), /Date\.now was called/);
    } finally {
      world.close();
    }
    assert.ok(Date.now() > 0 && Math.random() < 1 && randomUUID().length === 36);
  });

  test("the same seed gives the same trace: in another process, under load, and after other worlds in this one", async () => {
    const alone = await Promise.all(SEEDS.map(hashInOwnProcess));
    assert.equal(new Set(alone).size, SEEDS.length, "different seeds are different worlds");
    const here: string[] = [];
    for (const seed of [...SEEDS, ...SEEDS.toReversed()])
      here.push((await runSeed(seed, "swarm")).traceHash.slice(0, 16));
    assert.deepEqual(here.slice(0, SEEDS.length), alone);
    assert.deepEqual(here.slice(SEEDS.length).toReversed(), alone);
  });
});
