/** The machine goes down and comes up: everything that was asked for runs again, also when the store is in ruins. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { containers, row, rows, untilReady } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, pidsOf, until, type World } from "./world.ts";

const NAMES = ["box", "pair", "/proc", "bell.service"];

const FILES: Readonly<Record<string, string>> = {
  "app.json": JSON.stringify({ id: "/proc", cmd: "exec sleep 100000", cpus: 0.01, mem: 32, instances: 2 }),
  "bell.service": "[Service]\nExecStart=/bin/sleep 100000\n",
  "bygone.service": "[Service]\nExecStart=/bin/sleep 200000\n",
  "box.yaml": `
apiVersion: v1
kind: ReplicationController
metadata: { name: box }
spec:
  replicas: 2
  selector: { app: box }
  template:
    metadata: { labels: { app: box } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: box, image: "busybox:1", command: [httpd, -f, -p, "8080", -h, /], ports: [{ containerPort: 8080 }] }]
---
apiVersion: v1
kind: Pod
metadata: { name: pair }
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{ name: shared, emptyDir: {} }]
  containers:
    - { name: one, image: "busybox:1", command: [sleep, "100000"], volumeMounts: [{ name: shared, mountPath: /shared }] }
    - { name: two, image: "busybox:1", command: [sleep, "100000"], volumeMounts: [{ name: shared, mountPath: /shared }] }
---
apiVersion: v1
kind: Pod
metadata: { name: done }
spec:
  restartPolicy: Never
  containers: [{ name: once, image: "busybox:1", command: ["true"] }]
`,
};

describe("reboot of the machine", { skip: cannot ?? false }, () => {
  let world: World;
  let boots = 0;

  before(async () => {
    world = await makeWorld({ registry: true });
    await world.up({ before: boot() });
    for (const [name, text] of Object.entries(FILES)) world.file(`all/${name}`, text);
    await world.must("apply", "-f", join(world.folder, "all"));
    await untilReady(world, NAMES);
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  /** The next start sees another boot id, as the kernel gives one to each boot; only it and what it starts do. */
  function boot(): readonly string[] {
    const id = `${String(++boots).padStart(8, "0")}-0000-4000-8000-000000000000`;
    const script =
      'mount --make-private /proc && echo "$0" > "$1" && mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"';
    return ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, id, world.file("boot-id", "")];
  }

  /** Power off: nothing is asked, nothing has time to write. Then the engine is started, as at boot. */
  async function powerCut(): Promise<void> {
    await world.kill9();
    await world.engine.kill9();
    for (const pid of pidsOf(`${world.state}/keeper `)) process.kill(pid, "SIGKILL");
    await until(
      "nothing of it lives",
      () => {
        const living = pidsBelow(world.engine.cgroupRoot);
        for (const pid of living) killIfThere(pid);
        return living.length === 0;
      },
      () => pidsBelow(world.engine.cgroupRoot).join(" "),
    );
    await world.engine.restart();
    assert.deepEqual(await containers(world), []);
  }

  test("everything that was asked for runs again, and what had ended stays ended", async () => {
    const pids = keptBy(world);
    await powerCut();
    await world.up({ before: boot() });
    await untilReady(world, NAMES);
    assert.equal((await containers(world)).length, 5, await world.docker("ps", "-a"));
    assert.equal(keptBy(world).length, 4);
    assert.ok(keptBy(world).every((pid) => !pids.includes(pid)));
    assert.equal((await row(world, "done")).status, "done");
    assert.match(await (await fetch((await row(world, "box")).urls[0] ?? "")).text(), /404|<html|bin/i);
  });

  test("what came and went before the reboot does not come back", async () => {
    await world.must("delete", "bygone.service");
    await powerCut();
    await world.up({ before: boot() });
    await untilReady(world, NAMES);
    assert.equal(keptBy(world).length, 3);
    assert.ok((await rows(world)).every(({ name }) => name !== "bygone.service"));
  });

  test("with a store that cannot be read the node runs what it was asked for by its own record, says why nothing can be changed, and goes on by itself when the store is back", async () => {
    await powerCut();
    const store = join(world.state, "store.db");
    const parts = ["", "-wal", "-shm"].map((end) => `${store}${end}`);
    const kept = new Map(parts.flatMap((path) => contentOf(path)));
    for (const path of parts) rmSync(path, { force: true });
    writeFileSync(store, Buffer.alloc(64 * 1024, "not a database"));

    await world.up({ before: boot() });
    // A Marathon task never comes back: its app gets a new one, which takes a control plane.
    await until(
      "containers and the unit run",
      async () => (await containers(world)).length === 5 && keptBy(world).length === 1,
      async () => `${await world.docker("ps", "-a")}\n${keptBy(world)}\n${world.said()}`,
    );
    assert.match(world.said(), /the store cannot be opened: \S+store\.db: file is not a database/);
    const asked = await world.styr(["ps"]);
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /the store cannot be opened: .*file is not a database/);
    const write = await fetch(`${world.httpUrl}/v2/apps`, { method: "POST", body: "{}" });
    assert.equal(write.status, 503);
    assert.match(await write.text(), /the store cannot be opened/);

    const before = await containers(world);
    for (const path of parts) rmSync(path, { force: true });
    for (const [path, content] of kept) writeFileSync(path, content);
    await until(
      "the control plane is back",
      async () => (await world.styr(["ps"])).code === 0,
      () => world.said(),
    );
    await untilReady(world, NAMES);
    assert.deepEqual(await containers(world), before);
  });

  test("on a node that was never asked for anything a broken store is an error, in words", async () => {
    const other = world.file("other/store.db", "x".repeat(8192));
    const { code, stderr } = await world.run(join(import.meta.dirname, "../../node_modules/.bin/styr"), [
      "up",
      "--state",
      join(other, ".."),
      "--no-install",
      "--listen",
      "127.0.0.1:0",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /store\.db: file is not a database/);
  });
});

function contentOf(path: string): readonly (readonly [string, Buffer])[] {
  try {
    return [[path, readFileSync(path)]];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Every process in a top-level cgroup and below, in every hierarchy. */
function pidsBelow(cgroup: string): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => {
      const [content] = contentOf(`/proc/${pid}/cgroup`);
      return content?.[1].toString().includes(`:/${cgroup}/`);
    })
    .map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
