import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DriverError } from "../../../src/drivers/driver.ts";
import { uptimeMs } from "../../../src/drivers/keeper/guards.ts";
import { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";
import { KEEPER_PROTOCOL, LineReader } from "../../../src/drivers/keeper/protocol.ts";
import { openSocketPath } from "../../../src/drivers/keeper/state-dir.ts";
import { eventually } from "../driver/observer.ts";
import { cannotKeepProcesses, type NodePlace, openNodePlace } from "./node-place.ts";

describe("keeper's guard", { skip: cannotKeepProcesses() ?? false }, () => {
  let node: NodePlace;
  let keeper: KeeperClient;
  before(() => {
    node = openNodePlace("guard");
    keeper = node.connect();
  });
  after(() => node?.close());

  const started = async (name: string, script = "trap '' TERM; sleep 1000 & wait; sleep 1000") => {
    const spec = node.spec(name, ["/bin/sh", "-c", script]);
    await keeper.spawn(spec);
    await eventually("its process", async () => node.tree.pids(spec.cgroup).length > 0 || undefined);
    return spec;
  };
  const at = (name: string) => `${node.cgroupRoot}/pod/${name}`;
  const emptied = (name: string) =>
    eventually(`nothing in ${name}`, async () => node.tree.pids(`pod/${name}`).length === 0 || undefined);

  test("kills at its time, with nobody connected, and starts nothing there until it is asked for something else", async () => {
    const spec = await started("alone");
    const other = node.connect();
    const beganMs = uptimeMs();
    await other.guard("process", [at("alone")], 400);
    other.close();
    await emptied("alone");
    assert.ok(uptimeMs() - beganMs >= 400, "not before");
    const again = { ...spec, id: "pod/alone/1/main" };
    await assert.rejects(keeper.spawn(again), (error) => error instanceof DriverError && error.temporary);
    assert.equal(await keeper.get(again.id), undefined, "it was never started");
    await keeper.guard("process", [], 0);
    assert.equal((await keeper.spawn(again)).state, "running");
    await keeper.signalCgroup(spec.cgroup, 9);
  });

  test("each asking replaces the one before, of the same owner only", async () => {
    for (const name of ["kept", "dropped", "others"]) await started(name);
    await keeper.guard("process", [at("kept"), at("dropped")], 300);
    await keeper.guard("unit", [at("others")], 300);
    await keeper.guard("process", [at("kept")], 60_000);
    await emptied("others");
    for (const name of ["kept", "dropped"]) assert.ok(node.tree.pids(`pod/${name}`).length > 0, name);
    await keeper.guard("process", [], 0);
    await keeper.guard("unit", [], 0);
    await keeper.signalCgroup("pod", 9);
  });

  test("what is outside of its root is not its to kill", async () => {
    await keeper.guard("process", ["system.slice/ssh.service", `${node.cgroupRoot}/../other`], 0);
    assert.equal(typeof (await keeper.pid()), "number", "and it goes on");
    await keeper.guard("process", [], 0);
  });
});

test("a keeper of before the guard: refused for good, in words", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "styr-old-keeper-"));
  mkdirSync(stateDir, { recursive: true });
  const place = openSocketPath(stateDir);
  const server = createServer((socket) => {
    const reader = new LineReader();
    socket.setEncoding("utf8").on("data", (text: string) => {
      for (const message of reader.read(text)) {
        const { seq, call } = message as { readonly seq: number; readonly call: string };
        const answers: Readonly<Record<string, unknown>> = {
          hello: { protocol: KEEPER_PROTOCOL, pid: process.pid },
          subscribe: null,
        };
        const answer =
          call in answers
            ? { seq, result: answers[call] }
            : { seq, error: `this keeper does not know "${call}"`, temporary: false };
        socket.write(`${JSON.stringify(answer)}\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(place.path, resolve));
  const client = new KeeperClient({ stateDir });
  try {
    await assert.rejects(client.guard("docker", ["styrmann/x"], 1_000), (error) => {
      assert.ok(error instanceof DriverError && !error.temporary);
      assert.match(error.message, /does not know "guard"/);
      return true;
    });
  } finally {
    client.close();
    server.close();
    place.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
});
