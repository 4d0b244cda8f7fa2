import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultService } from "../../model/unit/service-settings.ts";
import type { ContainerRun } from "../driver.ts";
import { observeUnit } from "./observe-unit.ts";
import { type ServiceState, UNSTARTED } from "./service-state.ts";

const RUN = {
  ref: { podUid: "p", container: "unit", attempt: 0 },
  spec: { name: "unit", unit: { name: "a.service", options: [] } },
} as unknown as ContainerRun;

function observed(state: Partial<ServiceState>) {
  const more = { run: RUN, service: defaultService("a.service"), errors: [], warnings: [], children: [] };
  return observeUnit({ ...more, state: { ...UNSTARTED, invocation: 1, sub: "failed", finishedAtMs: 1, ...state } });
}

describe("how a failed unit ended, for its pod:", () => {
  const cases: readonly { why: string; state: Partial<ServiceState>; exitCode: number; signal?: number }[] = [
    {
      why: "the process that made it fail",
      state: { result: "exit-code", failedEnd: { code: 3 }, mainEnd: { code: 3 } },
      exitCode: 3,
    },
    {
      why: "started too often: what its main process last said",
      state: { result: "start-limit-hit", mainEnd: { code: 3 } },
      exitCode: 3,
    },
    {
      why: "killed at a timeout: the main process's signal",
      state: { result: "timeout", mainEnd: { signal: 15 } },
      exitCode: 143,
      signal: 15,
    },
    {
      why: "a main process that ended well at a timeout is no success",
      state: { result: "timeout", mainEnd: { code: 0 } },
      exitCode: 1,
    },
    { why: "no process ran", state: { result: "resources" }, exitCode: 1 },
  ];
  for (const { why, state, exitCode, signal } of cases) {
    test(why, () => {
      const run = observed(state);
      assert.deepEqual([run.state, run.exitCode, run.signal], ["exited", exitCode, signal]);
    });
  }

  test("what failed last is told while it waits for its restart", () => {
    const { state, unit } = observed({ sub: "auto-restart", result: "exit-code", failure: "it exited with code 3" });
    assert.deepEqual([state, unit?.message], ["running", "exit-code: it exited with code 3"]);
  });
});
