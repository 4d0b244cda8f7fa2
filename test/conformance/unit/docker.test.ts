import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { listChildren } from "../../../src/drivers/docker/children.ts";
import { engineAt } from "../../../src/drivers/docker/engine.ts";
import { cannotKeepProcesses } from "../../contract/keeper/node-place.ts";
import { canRunEngine, type Engine, startEngine } from "../../harness/engine.ts";
import { testImages } from "../../harness/images.ts";
import { type Registry, startRegistry } from "../../harness/registry.ts";
import { podUid, UnitBench, unitRef } from "./unit-bench.ts";

const problem = cannotKeepProcesses() ?? canRunEngine();
const docker = spawnSync("which", ["docker"], { encoding: "utf8" }).stdout.trim();
const PORT = 18_473;

describe("units that run containers", { skip: problem === undefined ? false : `NOT RUN: ${problem}` }, () => {
  let bench: UnitBench;
  let registry: Registry;
  let engine: Engine;
  let client: ReturnType<typeof engineAt>;
  before(async () => {
    registry = await startRegistry();
    await registry.putImages(testImages());
    engine = await startEngine({ registry });
    client = engineAt(engine.socket);
    bench = new UnitBench({
      dockerHost: engine.socket,
      cgroupParent: (cgroup) => `/${bench.tree.root}/${cgroup}`,
      children: (_pod, unit, names) => listChildren(client, { unit, names }),
    });
  });
  after(async () => {
    await bench?.driver.stop(unitRef("nginx-app.service"), { graceMs: 0 });
    engine?.stop();
    registry?.stop();
    bench?.close();
    await client?.close();
  });

  const unit = (name: string, more = "") =>
    `[Service]\nTimeoutStartSec=0\nExecStartPre=-${docker} kill ${name}\nExecStartPre=-${docker} rm ${name}\n` +
    `ExecStartPre=${docker} pull coolvds/nginx-custom:1.6\n` +
    `ExecStart=${docker} run --name ${name} -p ${PORT}:80 coolvds/nginx-custom:1.6\nExecStop=${docker} stop -t 2 ${name}\n${more}`;

  test("a unit's own docker reaches the engine, its container is found with it and obeys its limits", async () => {
    await bench.start("nginx-app.service", unit("nginx-app", "MemoryMax=64M\n"));
    const run = await bench.untilSeen(
      "nginx-app.service",
      "running with its container",
      ({ children, unit: state }) => {
        return state?.sub === "running" && children?.[0]?.state === "running";
      },
    );
    assert.equal(run.children?.length, 1);
    assert.deepEqual(
      run.children?.map(({ name, image, ports }) => ({ name, image, ports })),
      [
        {
          name: "nginx-app",
          image: "coolvds/nginx-custom:1.6",
          ports: [{ containerPort: 80, hostPort: PORT, protocol: "tcp" }],
        },
      ],
    );
    assert.equal(
      bench.tree.pids(`${podUid("nginx-app.service")}/main/docker`).length > 0,
      true,
      "it is in the unit's cgroup",
    );
    assert.equal((await fetch(`http://127.0.0.1:${PORT}/`)).status, 200);
  });

  test("a second one on the same port fails with Docker's words, and the first goes on", async () => {
    await bench.start("nginx-cache.service", unit("nginx-lb"));
    const run = await bench.until("nginx-cache.service", "failed/failed");
    assert.equal(run.exitCode, 125);
    assert.match(run.message ?? "", /exit-code: the main process exited with code 125: .*port is already allocated/);
    assert.equal((await bench.observed("nginx-app.service")).unit?.sub, "running");
  });

  test("a stop runs ExecStop=, which stops the container", async () => {
    await bench.driver.stop(unitRef("nginx-app.service"), { graceMs: 30_000 });
    const containers = await listChildren(client, { unit: "nginx-app.service" });
    assert.deepEqual(
      containers.map(({ state }) => state),
      ["exited"],
    );
  });
});
