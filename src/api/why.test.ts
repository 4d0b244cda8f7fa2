import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ContainerStatus } from "../model/pod.ts";
import type { Workload, WorkloadPod, WorkloadReader } from "../model/workload.ts";
import { whyReport } from "./why.ts";

const VIEW: WorkloadPod = {
  key: "fleet/a",
  uid: "u",
  status: "stopped",
  ready: false,
  containers: ["unit"],
  restarts: 0,
  since: "",
  urls: [],
};
const UNREADY = { type: "Ready", status: "False", message: "containers with unready status: [unit]" };

function whyUnit(name: string, start: boolean, more: Partial<ContainerStatus>, note = "loaded") {
  const status = { name: "unit", ready: false, restartCount: 0, image: "", imageID: "", ...more };
  const pod = {
    metadata: { name: "a", namespace: "fleet", uid: "u" },
    spec: { nodeName: "n1", containers: [{ name: "unit", driver: "unit", unit: { name, options: [], start } }] },
    status: { phase: "Running", conditions: [UNREADY], containerStatuses: [status] },
  };
  const reader = {
    get: () => pod,
    list: () => [],
  } as unknown as WorkloadReader;
  const workload = { name, status: "stopped", desired: 0, urls: [], pods: [VIEW], note } as unknown as Workload;
  const { summary, pods } = whyReport(reader, { workload, pods: [VIEW] });
  return [summary, ...(pods[0]?.sentences ?? [])].join("\n");
}

describe("styr why of a unit:", () => {
  const DEAD = { load: "loaded", active: "inactive", sub: "dead" } as const;

  test("one that is loaded is not said to wait, to run or to be unready", () => {
    const words = whyUnit("a.service", false, { state: { waiting: { reason: "Loaded" } }, unit: DEAD });
    assert.match(words, /^a\.service is stopped: it is loaded, and not started \(loaded\)$/m);
    assert.match(words, /^it is loaded and not to be started \(inactive\/dead\)$/m);
    assert.doesNotMatch(words, /waits|runs|ready/);
  });

  test("a timer is said not to be executed", () => {
    const running = { running: { startedAt: "2024-05-01T10:00:00Z" } };
    const words = whyUnit("a.timer", true, { state: running, unit: DEAD }, "a .timer unit is not executed");
    assert.match(words, /^it is loaded; a \.timer unit is not executed/m);
    assert.doesNotMatch(words, /it runs since|not ready/);
  });

  test("one that waits for another says for which", () => {
    const running = { running: { startedAt: "2024-05-01T10:00:00Z" } };
    const words = whyUnit("a.service", true, { state: running, unit: { ...DEAD, message: "waits for b.service" } });
    assert.match(words, /^it waits for b\.service$/m);
  });

  test("what is wrong with the whole, and is told of no copy, is said first", () => {
    const more = {
      status: "restarting",
      error: "relaunched after 4 s; last run: exited with 0",
      pods: [VIEW],
    } as const;
    const workload = { name: "/a", desired: 1, urls: [], ...more } as unknown as Workload;
    const reader = { get: () => undefined, list: () => [] } as unknown as WorkloadReader;
    assert.match(
      whyReport(reader, { workload, pods: [] }).summary,
      /\(relaunched after 4 s; last run: exited with 0\)$/,
    );
    const told = { ...workload, pods: [{ ...VIEW, error: more.error }] };
    assert.doesNotMatch(whyReport(reader, { workload: told, pods: [] }).summary, /relaunched/);
  });

  test("one that failed says what failed, once", () => {
    const terminated = { exitCode: 1, reason: "Error", message: "timeout: the start took longer than 2 s" };
    const unit = { load: "loaded", active: "failed", sub: "failed", result: "timeout" } as const;
    assert.match(
      whyUnit("a.service", true, { state: { terminated }, unit }),
      /^it failed: timeout: the start took longer than 2 s \(failed\/failed\)$/m,
    );
  });
});
