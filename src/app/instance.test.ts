import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { NODE_LABEL } from "../model/well-known.ts";
import { SeededRandom } from "../seams/random.ts";
import { keepPlace, reachOf, readPlace, withRemembered } from "./instance.ts";
import { type Options, readSettings } from "./settings.ts";

const place = { network: "n", cgroup: "c", podRange: "10.1.0.0/24", dockerHost: "unix:///d" };

describe("where a server is reached", () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "styr-place-"));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const started = async (options: Options) => {
    const settings = readSettings(withRemembered({ state: dir, ...options }, await readPlace(dir)), {}, 0);
    await keepPlace(dir, { ...place, ...reachOf(settings) }, new SeededRandom("x"));
    const { host, port, advertise } = settings;
    return { host, port, advertise: advertise && `${advertise.host}:${advertise.port}` };
  };

  test("what was given once holds for later starts, until something else is given", async () => {
    const first = { host: "127.0.0.1", port: 7001, advertise: "10.0.0.5:7443" };
    assert.deepEqual(await started({ listen: "127.0.0.1:7001", advertise: "10.0.0.5:7443" }), first);
    assert.deepEqual(await started({}), first);
    assert.deepEqual(await started({ listen: "127.0.0.1:7001" }), first);
    const second = { ...first, advertise: "10.0.0.6:7443" };
    assert.deepEqual(await started({ advertise: "10.0.0.6:7443" }), second);
    assert.deepEqual(await started({}), second);
  });

  test("another listener is not reached where the one before was", async () => {
    await started({ listen: "127.0.0.1:7001", advertise: "10.0.0.5:7001" });
    const moved = { host: "::1", port: 7002, advertise: undefined };
    assert.deepEqual(await started({ listen: "[::1]:7002" }), moved);
    assert.deepEqual(await started({}), moved);
  });

  test("a port that the kernel picks is none to come back to", async () => {
    await started({ listen: "127.0.0.1:7001" });
    assert.equal((await started({ listen: "127.0.0.1:0" })).port, 0);
    assert.equal((await started({})).port, 7001);
  });
});

test("that a host is a way in is remembered, until it is taken back", async () => {
  const dir = await mkdtemp(join(tmpdir(), "styr-place-"));
  const started = async (options: Options) => {
    const settings = readSettings(withRemembered({ state: dir, ...options }, await readPlace(dir)), {}, 0);
    await keepPlace(dir, { ...place, ...settings.wayInGiven }, new SeededRandom("x"));
    return [settings.labels[NODE_LABEL.wayIn], settings.wayIn.httpPort];
  };
  assert.deepEqual(await started({ wayIn: true, wayInPorts: "8080,8443" }), ["true", 8080]);
  assert.deepEqual(await started({}), ["true", 8080]);
  assert.deepEqual(await started({ wayIn: false }), [undefined, 8080]);
  assert.deepEqual(await started({ wayInPorts: "80,443" }), [undefined, 80]);
  await rm(dir, { recursive: true });
});
