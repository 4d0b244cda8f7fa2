import assert from "node:assert/strict";
import { test } from "node:test";
import { podOf, Stage, web } from "./agent-stage.ts";

test("what could not be told while the control plane was away is told with the first heartbeat that is answered", async () => {
  const stage = new Stage();
  await stage.start();
  const pod = await stage.run(podOf({ containers: [web()], restartPolicy: "Never" }));
  await stage.clock.advance(2_000);
  stage.control.away = true;
  const [run = assert.fail("it runs")] = stage.driver.running("web");
  stage.driver.exit(run.ref, 3);
  // Tried again after 0.2, 0.4, 0.8 and 1.6 s: the next try would be 3 s after the last.
  await stage.clock.advance(3_500);
  assert.notEqual(stage.control.status(pod).phase, "Failed");
  stage.control.away = false;
  await stage.clock.advance(1_050);
  assert.equal(stage.control.status(pod).phase, "Failed");
  await stage.agent.stop();
});
