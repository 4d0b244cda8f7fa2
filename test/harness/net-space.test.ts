import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openNetSpace } from "./net-space.ts";

/** Killed, and reaped by this process. */
async function ended(pid: number): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (existsSync(`/proc/${pid}`)) {
    assert.ok(Date.now() < deadline, `process ${pid} lives on`);
    await sleep(10);
  }
}

describe("a space of network namespaces:", () => {
  test("pods of one host reach each other, hosts on one link do, and nothing is left", async () => {
    const space = openNetSpace({ hosts: 2 });
    const [one, two] = [space.host(1).addPod(5), space.host(1).addPod(6)];
    assert.equal(one.run("ping", ["-c1", "-W2", two.address]).exitCode, 0);
    assert.equal(space.host(1).run("ping", ["-c1", "-W2", space.host(2).address]).exitCode, 0);
    assert.notEqual(one.run("ping", ["-c1", "-W1", space.host(2).gateway]).exitCode, 0, "no routes yet");
    // It does not name the space's folder: only where it began tells whose it is.
    const { pid } = one.spawn("sleeper", ["sleep", "1000"]);
    space.close();
    assert.ok(!existsSync(`/run/netns/${one.netns}`));
    await ended(pid ?? 0);
  });

  test("hosts apart reach each other through a router", () => {
    const space = openNetSpace({ hosts: 2, isApart: true });
    assert.equal(space.host(1).run("ping", ["-c1", "-W2", space.host(2).address]).exitCode, 0);
    assert.match(space.host(1).run("ip", ["route", "get", space.host(2).address]).output, / via /);
    space.close();
  });
});
