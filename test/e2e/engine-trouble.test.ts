/** Docker's bad days: it dies, stands still, is not there, does not find an image. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { containers, row, rows, untilReady } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, until, type World } from "./world.ts";

const pod = (name: string, container: string, more = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  ${more}
  containers: [{ name: c, image: "busybox:1", ${container} }]
`;

/** Longer than a question to the engine waits for its answer (30 s). */
const FROZEN_MS = 33_000;
/** Time for several checks to find nobody there. */
const DEAD_MS = 3_000;
/** The strictest that can be asked for: one failure is enough. */
const PROBE = "{ exec: { command: ['true'] }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 }";
const PROBES = `livenessProbe: ${PROBE}, readinessProbe: ${PROBE}`;
const checked = {
  ...{ id: "/checked", cpus: 0.01, mem: 32, cmd: "sleep 100000" },
  container: { type: "DOCKER", docker: { image: "busybox:1" } },
  healthChecks: [
    { protocol: "COMMAND", command: { value: "true" }, gracePeriodSeconds: 0, intervalSeconds: 1, timeoutSeconds: 1 },
  ].map((check) => ({ ...check, maxConsecutiveFailures: 1 })),
};

describe("trouble with the engine", { skip: cannot ?? false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld({ registry: true });
    await world.up();
    world.file(
      "all/pods.yaml",
      [pod("one", "command: [sleep, '100000']"), pod("two", "command: [sleep, '100000']")].join("---"),
    );
    world.file("all/bell.service", "[Service]\nExecStart=/bin/sleep 100000\n");
    world.file("all/probed.yaml", pod("probed", `command: [sleep, '100000'], ${PROBES}`));
    world.file("all/checked.json", JSON.stringify(checked));
    await world.must("apply", "--no-wait", "-f", join(world.folder, "all"));
    await untilReady(world, ["one", "two", "bell.service", "probed", "/checked"]);
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  test("the engine crashes and comes back: nothing was restarted, and what is asked for next runs", async () => {
    const before = await containers(world);
    await world.engine.kill9();
    assert.equal((await row(world, "one")).status, "running");
    await setTimeout(DEAD_MS);
    await world.engine.restart();
    assert.deepEqual(await containers(world), before);
    await world.must("apply", "-f", world.file("next.yaml", pod("next", "command: [sleep, '100000']")));
    await world.must("delete", "pod/next");
    assert.deepEqual(await containers(world), before);
    for (const { pods } of await rows(world))
      assert.deepEqual(
        pods.map(({ restarts }) => restarts),
        [0],
      );
  });

  test("the engine stands still: styr answers at once, says so, and neither restarts anything nor reports it gone", async () => {
    const before = await containers(world);
    world.engine.freeze();
    const began = performance.now();
    try {
      await until(
        "the node says that Docker does not answer",
        async () => /docker/i.test(JSON.stringify((await status(world)).nodes.troubles)),
        async () => JSON.stringify(await status(world)),
      );
      const from = performance.now();
      const screen = await world.must("ps");
      const tookMs = performance.now() - from;
      assert.ok(tookMs < 3000, `styr ps took ${tookMs} ms`);
      assert.match(screen, /one .*running/);
      assert.match(await world.must("nodes"), /ready/);
      assert.match(await world.must("status"), /docker: .*(?:does not answer|no answer|timed out|within)/i);
      await world.must("apply", "-f", world.file("bell2.service", "[Service]\nExecStart=/bin/sleep 100000\n"));
      // No condition to wait for: that nothing happens is what is looked for.
      await setTimeout(Math.max(0, FROZEN_MS - (performance.now() - began)));
    } finally {
      world.engine.thaw();
    }
    await until(
      "the trouble is over",
      async () => (await status(world)).nodes.troubles.length === 0,
      async () => JSON.stringify(await status(world)),
    );
    assert.deepEqual(await containers(world), before);
    for (const { name, pods } of await rows(world))
      assert.deepEqual(
        pods.map(({ status, restarts }) => `${name} ${status} ${restarts}`),
        [`${name} running 0`],
      );
  });

  test("an image that does not exist: Docker's own words beside the row, and nothing else suffers", async () => {
    const file = world.file(
      "absent.yaml",
      pod("absent", "imagePullPolicy: IfNotPresent").replace("busybox:1", "nosuch/thing:9"),
    );
    const { code, stdout, stderr } = await world.styr(["apply", "-f", file, "--timeout", "8s"]);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout + stderr, /not everything runs after 8 s; it goes on being tried/);
    const { status, error = "" } = await row(world, "absent");
    assert.equal(status, "pending");
    // Here there is no Internet: whatever Docker says of that, or of the name, is what people see.
    assert.match(error, /registry|not found|denied|no such host|timeout|refused/);
    assert.ok((await world.must("ps")).includes(error.slice(0, 40)));
    assert.match(await world.must("why", "absent"), /absent is pending: .*missing[\s\S]*ImagePull/);
    assert.match(await world.must("events", "absent"), /Failed to pull image "nosuch\/thing:9"/);
    assert.equal((await row(world, "one")).status, "running");
    await world.must("delete", "pod/absent");
  });

  test("a container that ignores TERM is gone after its grace", async () => {
    const file = world.file(
      "deaf.yaml",
      pod("deaf", `command: [sh, -c, "trap '' TERM; while true; do sleep 0.1; done"]`).replace(
        "Seconds: 1",
        "Seconds: 2",
      ),
    );
    const before = await containers(world);
    await world.must("apply", "-f", file);
    const from = performance.now();
    await world.must("delete", "pod/deaf");
    await until(
      "it is gone",
      async () =>
        (await containers(world)).length === before.length && !(await rows(world)).some(({ name }) => name === "deaf"),
    );
    const tookMs = performance.now() - from;
    assert.ok(tookMs >= 1900 && tookMs < 8000, `gone after ${tookMs} ms`);
  });
});

describe("no engine at all", { skip: cannot ?? false }, () => {
  let world: World;
  const socket = join(tmpdir(), `styr-e2e-late-${process.pid}.sock`);

  before(async () => {
    world = await makeWorld({ registry: true, dockerHost: `unix://${socket}` });
    await world.up();
  });

  after(async () => {
    await world.close();
    await world.run("rm", ["-f", socket]);
    assert.deepEqual(leftovers(world), []);
  });

  test("pods that need Docker wait with that as their reason; units and processes run; they start when an engine appears", async () => {
    assert.match(world.said(), /engine +none \(.*\); pods that need Docker wait, everything else runs/);
    world.file("all/pod.yaml", pod("boxed", "command: [sleep, '100000']"));
    world.file("all/bell.service", "[Service]\nExecStart=/bin/sleep 100000\n");
    world.file("all/app.json", JSON.stringify({ id: "/proc", cmd: "exec sleep 100000", cpus: 0.01, mem: 32 }));
    const { code, stdout, stderr } = await world.styr(["apply", "-f", join(world.folder, "all"), "--timeout", "8s"]);
    assert.equal(code, 2, stdout + stderr);
    assert.match(stdout + stderr, /boxed: unplaced: .*needs Docker: the Docker Engine at .* does not answer/);
    await untilReady(world, ["/proc", "bell.service"]);
    assert.equal(keptBy(world).length, 2);
    assert.match(await world.must("why", "boxed"), /docker/i);
    assert.equal((await row(world, "boxed")).status, "unplaced");

    symlinkSync(world.engine.socketPath, socket);
    await untilReady(world, ["boxed"]);
  });
});

interface Status {
  readonly nodes: { readonly troubles: readonly string[] };
}

async function status(world: World): Promise<Status> {
  return JSON.parse(await world.must("status", "-o", "json")) as Status;
}
