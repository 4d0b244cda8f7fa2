import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteControl } from "../../../src/agent/remote/remote-control.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { remoteStage } from "./stage.ts";
import { PERFECT } from "./wire.ts";

test("whoever watches an agent hears once that no server is reached, and why, and once that one is again", async () => {
  const { clock, wire } = await remoteStage(PERFECT, "on-link");
  const { accept } = wire;
  wire.accept = undefined;
  const told: (string | undefined)[] = [];
  const control = new RemoteControl({
    ...{ dialers: [wire], clock, random: new SeededRandom("on-link"), log: silentLog },
    onLink: (problem) => told.push(problem),
  });
  control.watchCluster(() => {}, new AbortController().signal);
  await clock.advance(30_000);
  assert.equal(told.length, 1, told.join("; "));
  assert.match(told[0] ?? "", /connection refused/);
  wire.accept = accept;
  await clock.advance(15_000);
  assert.deepEqual(told.slice(1), [undefined]);
  control.close("the test ends");
});
