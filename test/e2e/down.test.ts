/** `styr down` takes away everything that styr made, and nothing else. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { untilReady } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, pidsOf, until, type World } from "./world.ts";

describe("styr down", { skip: cannot ?? false }, () => {
  let world: World;
  let stranger: ChildProcess;
  let foreignCgroup: string;

  before(async () => {
    world = await makeWorld({ registry: true });
    const hierarchy = readdirSync("/sys/fs/cgroup").includes("memory") ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
    foreignCgroup = join(hierarchy, `stranger-${world.engine.cgroupRoot}`);
    mkdirSync(foreignCgroup);
    stranger = spawn("sleep", ["100000"], { stdio: "ignore" });
    await world.docker("pull", "busybox:1");
    await world.docker("network", "create", "foreign-network");
    await world.docker(
      "run",
      "-d",
      "--name",
      "foreign",
      "--label",
      "dev.styrmann.instance=another",
      "busybox:1",
      "sleep",
      "100000",
    );
  });

  after(async () => {
    stranger.kill("SIGKILL");
    if (existsSync(foreignCgroup)) rmdirSync(foreignCgroup);
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  beforeEach(async () => {
    await world.up();
    world.file(
      "all/app.json",
      JSON.stringify({ id: "/proc", cmd: "exec sleep 100000", cpus: 0.01, mem: 32, instances: 3 }),
    );
    world.file("all/bell.service", "[Service]\nExecStart=/bin/sleep 100000\n");
    world.file(
      "all/docker.service",
      "[Service]\nExecStart=/usr/bin/docker run --name unitmade busybox:1 sleep 100000\nExecStop=/usr/bin/docker stop -t 1 unitmade\nExecStopPost=-/usr/bin/docker rm -f unitmade\n",
    );
    world.file(
      "all/box.yaml",
      `apiVersion: v1\nkind: ReplicationController\nmetadata: { name: box }\nspec:\n  replicas: 3\n  selector: { app: box }\n  template:\n    metadata: { labels: { app: box } }\n    spec:\n      terminationGracePeriodSeconds: 1\n      volumes: [{ name: v, emptyDir: { medium: Memory } }]\n      containers: [{ name: c, image: "busybox:1", command: [sleep, "100000"], volumeMounts: [{ name: v, mountPath: /v }] }]\n`,
    );
    await world.must("apply", "--no-wait", "-f", join(world.folder, "all"));
    await untilReady(world, ["/proc", "bell.service", "docker.service", "box"]);
    const ofUnit = () => world.docker("ps", "-q", "--filter", "name=unitmade");
    await until(
      "the unit's container runs",
      async () => (await ofUnit()) !== "",
      () => world.docker("ps", "-a"),
    );
  });

  const nothingOfOursIsLeft = async () => {
    assert.equal(await world.docker("ps", "-a", "--format", "{{.Names}}"), "foreign");
    assert.deepEqual(pidsOf(world.state), []);
    assert.ok(!existsSync(world.state));
    assert.deepEqual(leftovers(world), []);
    assert.match(await world.docker("network", "ls", "--format", "{{.Name}}"), /^(?!.*styr).*foreign-network/s);
  };

  const whatIsForeignStays = async () => {
    assert.equal(await world.docker("inspect", "--format", "{{.State.Running}}", "foreign"), "true");
    assert.match(await world.docker("images"), /busybox/);
    assert.equal(stranger.exitCode, null);
    assert.ok(existsSync(foreignCgroup));
  };

  const down = () => world.styr(["down", "--state", world.state]);

  test("with styr running: it is stopped, all it made goes, what is foreign stays; a second time there is nothing to do", async () => {
    const { code, stdout, stderr } = await down();
    assert.equal(code, 0, stdout + stderr);
    assert.match(
      stdout,
      /stopped styr\n[\s\S]*stopped and removed \d+ containers, processes and units\n[\s\S]*removed the network[\s\S]*removed \S+/,
    );
    await nothingOfOursIsLeft();
    await whatIsForeignStays();
    const again = await down();
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /nothing to remove: no styr has run on/);
    await whatIsForeignStays();
  });

  test("after styr was killed", async () => {
    await world.kill9();
    const { code, stdout, stderr } = await down();
    assert.equal(code, 0, stdout + stderr);
    await nothingOfOursIsLeft();
    await whatIsForeignStays();
  });

  test("Ctrl-C in the middle, then again: it goes on where it was", async () => {
    const { child, ended } = world.start("down", "--state", world.state);
    const total = keptBy(world).length;
    await until("it has begun", () => child.exitCode !== null || keptBy(world).length < total);
    child.kill("SIGINT");
    await ended();
    const { code, stdout, stderr } = await down();
    assert.equal(code, 0, stdout + stderr);
    await nothingOfOursIsLeft();
    await whatIsForeignStays();
  });

  test("while the engine is away: it says why it did not, and does it when the engine is back", async () => {
    await world.engine.kill9();
    const { code, stdout, stderr } = await down();
    assert.equal(code, 1, stdout + stderr);
    assert.match(stderr, /containers of this cluster may still be there.*the Docker Engine at .* does not answer/);
    assert.match(stderr, /nothing was removed; run styr down again when the engine answers, or styr down --force/);
    assert.ok(existsSync(world.state));
    await world.engine.restart();
    const again = await down();
    assert.equal(again.code, 0, again.stdout + again.stderr);
    await nothingOfOursIsLeft();
    await whatIsForeignStays();
  });
});
