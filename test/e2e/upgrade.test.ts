/** Changes to what runs: an app that people use all the while, a controller's template, a unit's file. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { containers, row, untilReady } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, until, type World } from "./world.ts";

const app = (version: string) => ({
  id: "/web",
  cmd: `mkdir -p /tmp/w && echo ${version} > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w`,
  cpus: 0.05,
  mem: 32,
  instances: 4,
  taskKillGracePeriodSeconds: 1,
  upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.25 },
  container: {
    type: "DOCKER",
    docker: { image: "busybox:1", network: "BRIDGE", portMappings: [{ containerPort: 8080, hostPort: 0 }] },
  },
  healthChecks: [
    { protocol: "HTTP", path: "/", portIndex: 0, gracePeriodSeconds: 20, intervalSeconds: 1, timeoutSeconds: 1 },
  ],
});

describe("changes to what runs", { skip: cannot ?? false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld({ registry: true });
    await world.up();
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  interface Task {
    readonly id: string;
    readonly version: string;
    readonly host: string;
    readonly ports: readonly number[];
    readonly state: string;
    readonly healthCheckResults?: readonly { readonly alive: boolean }[];
  }

  const tasks = async (): Promise<readonly Task[]> => {
    const response = await fetch(`${world.httpUrl}/v2/apps/web/tasks`, { headers: { Accept: "application/json" } });
    return ((await response.json()) as { tasks: Task[] }).tasks;
  };

  const answerOf = async ({ host, ports }: Task): Promise<string | undefined> => {
    try {
      return (await (await fetch(`http://${host}:${ports[0]}/`, { signal: AbortSignal.timeout(1000) })).text()).trim();
    } catch (error) {
      // It is being replaced: what counts is how many others answer.
      return error instanceof Error ? undefined : assert.fail(String(error));
    }
  };

  test("an app is replaced while at least half of it answers all the time, and never more than five run", async () => {
    await world.must("apply", "-f", world.file("web.json", JSON.stringify(app("one"))));
    await untilReady(world, ["/web"]);
    const old = (await tasks()).map(({ id }) => id);
    let isOver = false;
    const seen: { answers: string[]; running: number }[] = [];
    const watching = (async () => {
      while (!isOver) {
        const now = await tasks();
        const answers = (await Promise.all(now.map(answerOf))).filter((text) => text !== undefined);
        const running = (await world.docker("ps", "-q")).split("\n").length;
        seen.push({ answers, running });
        await delay(100);
      }
    })();
    const { code, stdout, stderr } = await world.styr([
      "apply",
      "-f",
      world.file("web.json", JSON.stringify(app("two"))),
    ]);
    isOver = true;
    await watching;
    assert.equal(code, 0, stdout + stderr);
    assert.ok(seen.length > 10, `${seen.length} looks`);
    const fewest = Math.min(...seen.map(({ answers }) => answers.length));
    const most = Math.max(...seen.map(({ running }) => running));
    assert.ok(fewest >= 2, `only ${fewest} answered at some time`);
    assert.ok(most <= 5, `${most} containers ran at some time`);
    assert.ok(
      seen.some(({ answers }) => answers.includes("one") && answers.includes("two")),
      "old and new side by side",
    );
    const now = await tasks();
    assert.equal(now.length, 4);
    assert.ok(now.every(({ id }) => !old.includes(id)));
    assert.deepEqual(new Set(await Promise.all(now.map(answerOf))), new Set(["two"]));
  });

  test("an upgrade that does not become healthy stops at its floor, and the next apply supersedes it", async () => {
    const bad = { ...app("three"), cmd: "sleep 100000" };
    const { code, stdout, stderr } = await world.styr([
      "apply",
      "-f",
      world.file("web.json", JSON.stringify(bad)),
      "--timeout",
      "8s",
    ]);
    assert.equal(code, 1, stdout + stderr);
    const alive = (await Promise.all((await tasks()).map(answerOf))).filter((text) => text === "two");
    assert.ok(alive.length >= 2, `${alive.length} of the old ones still answer`);
    await world.must("apply", "-f", world.file("web.json", JSON.stringify(app("four"))));
    assert.deepEqual(new Set(await Promise.all((await tasks()).map(answerOf))), new Set(["four"]));
    await world.must("delete", "/web");
  });

  const controller = (image: string) => `
apiVersion: v1
kind: ReplicationController
metadata: { name: rc }
spec:
  replicas: 2
  selector: { app: rc }
  template:
    metadata: { labels: { app: rc } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: c, image: "${image}", command: [sleep, "100000"] }]
`;

  test("a replication controller's new image is for pods made from now on", async () => {
    await world.must("apply", "-f", world.file("rc.yaml", controller("busybox:1")));
    await untilReady(world, ["rc"]);
    const before = await containers(world);
    await world.must("apply", "-f", world.file("rc.yaml", controller("python:3")));
    assert.deepEqual(await containers(world), before, "running pods stay as they are");
    for (const { key } of (await row(world, "rc")).pods)
      await fetch(`${world.httpUrl}/api/v1/namespaces/default/pods/${key.split("/")[1]}`, { method: "DELETE" });
    await untilReady(world, ["rc"]);
    await until(
      "both run the new image",
      async () => (await world.docker("ps", "--format", "{{.Image}}")) === "python:3\npython:3",
      () => world.docker("ps"),
    );
    await world.must("delete", "rc");
  });

  test("a unit's new file takes the place of the old one, with one main process all the time", async () => {
    const unit = (seconds: number) => `[Service]\nExecStart=/bin/sleep ${seconds}\n`;
    await world.must("apply", "-f", world.file("u.service", unit(100_001)));
    await untilReady(world, ["u.service"]);
    const [before] = keptBy(world);
    await world.must("apply", "-f", world.file("u.service", unit(100_001)));
    assert.deepEqual(keptBy(world), [before], "the same file changes nothing");
    await world.must("apply", "-f", world.file("u.service", unit(100_002)));
    await until(
      "the new one runs alone",
      () => keptBy(world).length === 1 && keptBy(world)[0] !== before,
      () => world.must("ps"),
    );
    assert.match(await world.must("ps"), /u\.service .*running .*\/bin\/sleep 100002/);
  });
});
