/** styr comes and goes; what runs does not notice, and the next styr knows all that happened meanwhile. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { containers, row, untilReady } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, until, type World } from "./world.ts";

const NAMES = ["steady", "mortal", "/steady", "/mortal", "/flood", "steady.service", "mortal.service"];

describe("adoption", { skip: cannot ?? false }, () => {
  let world: World;
  let go: string;

  before(async () => {
    world = await makeWorld({ registry: true });
    go = join(world.folder, "go");
    await world.up();
    await world.must("apply", "-f", workloads(world, go));
    await untilReady(world, NAMES);
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  /** Everything that runs: containers with their process and start time, and pids of processes and units. */
  const running = async () => ({
    containers: await containers(world),
    processes: keptBy(world),
  });

  test("a second styr on the same state directory refuses in words", async () => {
    const { code, stderr, stdout } = await world.upEnds();
    assert.equal(code, 1);
    assert.match(stderr + stdout, /styr is running already on .*; see it with: .*status/);
  });

  test("kill -9 of styr stops nothing", async () => {
    const before = await running();
    assert.equal(before.containers.length, 3);
    assert.equal(before.processes.length, 5, String(before.processes));
    await world.kill9();
    assert.deepEqual(await running(), before);
  });

  test("what dies and floods while styr is away: files stay bounded, and the next styr restarts only that and knows how it ended", async () => {
    const before = await running();
    writeFileSync(go, "");
    await world.docker("exec", await containerWith(world, "mortal-marker"), "touch", "/tmp/go");
    await until("the flood is over", () => existsSync(`${go}.flooded`), undefined, 120_000);
    await until(
      "container, process and unit have died",
      async () => (await containers(world)).length === 2 && keptBy(world).length === 3,
      async () => `${await world.docker("ps", "-a")}\n${keptBy(world)}`,
    );
    assert.ok(
      bytesBelow(join(world.state, "processes")) < 25 * 2 ** 20,
      "50 MB of output left less than 25 MB on disk",
    );

    const between = await running();
    await world.up();
    await until(
      "all that had died runs again",
      async () => {
        const { status, pods } = await row(world, "mortal");
        const others = await Promise.all([row(world, "/mortal"), row(world, "mortal.service")]);
        return status === "running" && pods[0]?.restarts === 1 && others.every((one) => one.status === "running");
      },
      () => world.must("ps"),
    );
    const now = await running();
    for (const [what, list] of Object.entries(between) as [keyof typeof between, readonly unknown[]][]) {
      for (const one of list)
        assert.ok((now[what] as readonly unknown[]).includes(one), `${what} ${one} was left alone`);
    }
    assert.equal(now.containers.length, before.containers.length);
    assert.equal(now.processes.length, before.processes.length);
    assert.match(await world.must("why", "kubernetes/mortal"), /restarted once; before that it exited with 5/);
    assert.match(await world.must("why", "/mortal"), /exited with 7/);
    assert.match(await world.must("events", "/mortal"), /TaskFailed .* Command exited with status 7/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal === "SIGINT" ? "Ctrl-C" : signal} ends styr, says what goes on, and leaves everything running; the next styr adopts it`, async () => {
      const before = await running();
      const said = await world.stop(signal);
      assert.match(said, /what runs goes on running/);
      assert.match(said, /npx styr up --state \S+ adopts it again; npx styr down/);
      assert.deepEqual(await running(), before);
      await world.up();
      await untilReady(world, NAMES);
      assert.deepEqual(await running(), before);
    });
  }
});

async function containerWith(world: World, text: string): Promise<string> {
  for (const id of (await world.docker("ps", "-q")).split("\n"))
    if ((await world.docker("inspect", id)).includes(text)) return id;
  return assert.fail(`no container has ${text} in it`);
}

function bytesBelow(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512,
    0,
  );
}

/** Two of each kind: one that stays, one that ends with a code of its own when it is told to; and one that writes 50 MB. */
function workloads(world: World, go: string): string {
  const wait = (word: string) => `while [ ! -e ${go} ]; do sleep 0.1; done; : ${word}`;
  const app = (id: string, cmd: string) => ({
    id,
    cmd,
    cpus: 0.01,
    mem: 64,
    backoffSeconds: 1,
    maxLaunchDelaySeconds: 1,
  });
  world.file(
    "apps/apps.json",
    JSON.stringify([
      app("/steady", `sleep 100000; : steady ${world.folder}/`),
      app("/mortal", `[ -e ${go} ] && { sleep 100000; : ${go} later; }; ${wait("mortal")}; exit 7`),
      app(
        "/flood",
        `${wait("flood")}; head -c 52428800 /dev/zero | tr '\\0' x; touch ${go}.flooded; sleep 100000; : end`,
      ),
    ]),
  );
  world.file("apps/steady.service", `[Service]\nExecStart=/bin/sh -c "sleep 100000; : ${world.folder}/"\n`);
  world.file(
    "apps/mortal.service",
    `[Service]\nExecStart=/bin/sh -c "[ -e ${go} ] && { sleep 100000; : later; }; ${wait("mortal")}; exit 3"\nRestart=always\nRestartSec=1\n`,
  );
  world.file(
    "apps/containers.yaml",
    `
apiVersion: v1
kind: ReplicationController
metadata: { name: steady }
spec:
  replicas: 2
  selector: { app: steady }
  template:
    metadata: { labels: { app: steady } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: steady, image: "busybox:1", command: [sleep, "100000"] }]
---
apiVersion: v1
kind: Pod
metadata: { name: mortal }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: mortal
      image: busybox:1
      command: [sh, -c, "echo mortal-marker; [ -e /keep/go ] && sleep 100000; touch /keep/go; while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 5"]
      volumeMounts: [{ name: keep, mountPath: /keep }]
  volumes: [{ name: keep, emptyDir: {} }]
`,
  );
  return join(world.folder, "apps");
}
