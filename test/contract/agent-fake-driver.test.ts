import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent } from "../../src/agent/agent.ts";
import { FakeDriver } from "../../src/drivers/fake/fake-driver.ts";
import { FakeMachine } from "../../src/drivers/fake/fake-machine.ts";
import type { DriverName } from "../../src/model/pod.ts";
import { podOf, Stage } from "./agent-stage.ts";

function staged() {
  const stage = new Stage();
  const machine = new FakeMachine(stage.clock);
  const drivers = () => new Map([["docker" as DriverName, new FakeDriver({ machine, name: "docker" })]]);
  const anew = () => {
    stage.agent = new Agent({ ...stage.options(), drivers: drivers() });
  };
  anew();
  return { stage, machine, anew };
}

function podRunning(image: string, policy: "Always" | "Never" = "Always") {
  return podOf({ containers: [{ name: "main", image }], restartPolicy: policy });
}

describe("agent on the shipped fake driver", () => {
  test("containers live and end as their images say, and a new agent adopts them", async () => {
    const { stage, machine, anew } = staged();
    await stage.start();
    const steady = podRunning("fake/run");
    const crashing = podRunning("fake/exit-3:after-500ms");
    const greedy = podRunning("fake/oom:after-100ms", "Never");
    const missing = podRunning("fake/missing");
    stage.control.assign(steady, crashing, greedy, missing);
    await stage.clock.advance(30_000);
    assert.equal(stage.control.status(steady).phase, "Running");
    const state = stage.control.status(crashing).containerStatuses?.[0];
    assert.equal(state?.state.waiting?.reason, "CrashLoopBackOff");
    assert.equal(state?.lastState?.terminated?.exitCode, 3);
    assert.equal(stage.control.status(greedy).phase, "Failed");
    assert.equal(stage.control.status(greedy).containerStatuses?.[0]?.state.terminated?.reason, "OOMKilled");
    assert.match(
      stage.control.status(missing).containerStatuses?.[0]?.state.waiting?.reason ?? "",
      /ErrImagePull|ImagePullBackOff/,
    );
    await stage.agent.stop();
    anew();
    await stage.start();
    await stage.clock.advance(60_000);
    assert.equal(stage.control.status(steady).containerStatuses?.[0]?.restartCount, 0);
    for (const pod of [steady, crashing, greedy, missing]) stage.control.remove(pod);
    await stage.clock.advance(60_000);
    for (const pod of [steady, crashing, greedy, missing])
      assert.equal(stage.control.statuses.get(pod.metadata.uid), "gone");
    assert.equal(machine.runs.size, 0);
    assert.equal(machine.pods.size, 0);
    await stage.agent.stop();
  });
});
