import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PodStatus } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { Control, PodReport } from "./control.ts";
import { Reporter } from "./reporter.ts";

const ANSWER_MS = 5;

function stage() {
  const clock = new ManualClock();
  const said: string[] = [];
  const report = async (reports: readonly PodReport[]) => {
    for (const { uid, status } of reports) said.push(`${uid} ${(status as PodStatus).phase}`);
    await clock.sleep(ANSWER_MS);
  };
  const control = { report } as unknown as Control;
  const reporter = new Reporter(control, clock, silentLog, () => {});
  const tell = (phase: PodStatus["phase"]) => reporter.report({ key: "default/a", uid: "a", status: { phase } });
  return { clock, reporter, said, tell };
}

describe("the reporter", () => {
  test("what is being said is not said once more because it comes back before its answer", async () => {
    const { clock, said, tell } = stage();
    tell("Running");
    await clock.advance(12);
    assert.deepEqual(said, ["a Running"]);
    tell("Running");
    await clock.advance(1_000);
    tell("Running");
    await clock.advance(1_000);
    assert.deepEqual(said, ["a Running"]);
  });

  test("what changes while something is said is said next", async () => {
    const { clock, said, tell } = stage();
    tell("Pending");
    await clock.advance(12);
    tell("Running");
    await clock.advance(1_000);
    assert.deepEqual(said, ["a Pending", "a Running"]);
  });

  test("what somebody else has written over is said again, also when it is being said at that moment", async () => {
    const { clock, reporter, said, tell } = stage();
    tell("Running");
    await clock.advance(12);
    reporter.sayAgain("a");
    tell("Running");
    await clock.advance(1_000);
    assert.deepEqual(said, ["a Running", "a Running"]);
    reporter.sayAgain("a");
    tell("Running");
    await clock.advance(1_000);
    assert.equal(said.length, 3);
  });
});
