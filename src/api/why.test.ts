import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Kind } from "../model/meta.ts";
import { type ContainerStatus, type Pod, pods } from "../model/pod.ts";
import type { Workload, WorkloadPod } from "../model/workload.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { Reader } from "../store/transaction.ts";
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

const CLOCK = { clock: new ManualClock() };

async function whyUnit(name: string, start: boolean, more: Partial<ContainerStatus>, note = "loaded") {
  const status = { name: "unit", ready: false, restartCount: 0, image: "", imageID: "", ...more };
  const pod = {
    metadata: { name: "a", namespace: "fleet", uid: "u" },
    spec: { nodeName: "n1", containers: [{ name: "unit", driver: "unit", unit: { name, options: [], start } }] },
    status: { phase: "Running", conditions: [UNREADY], containerStatuses: [status] },
  };
  const reader = {
    get: (kind: Kind) => (kind.name === "Pod" ? pod : undefined),
    by: () => [],
  } as unknown as Reader;
  const workload = { name, status: "stopped", desired: 0, urls: [], pods: [VIEW], note } as unknown as Workload;
  const { summary, pods } = await whyReport(reader, { workload, pods: [VIEW] }, CLOCK);
  return [summary, ...(pods[0]?.sentences ?? [])].join("\n");
}

describe("styr why of a unit:", () => {
  const DEAD = { load: "loaded", active: "inactive", sub: "dead" } as const;

  test("one that is loaded is not said to wait, to run or to be unready", async () => {
    const words = await whyUnit("a.service", false, { state: { waiting: { reason: "Loaded" } }, unit: DEAD });
    assert.match(words, /^a\.service is stopped: it is loaded, and not started \(loaded\)$/m);
    assert.match(words, /^it is loaded and not to be started \(inactive\/dead\)$/m);
    assert.doesNotMatch(words, /waits|runs|ready/);
  });

  test("a timer is said not to be executed", async () => {
    const running = { running: { startedAt: "2024-05-01T10:00:00Z" } };
    const words = await whyUnit("a.timer", true, { state: running, unit: DEAD }, "a .timer unit is not executed");
    assert.match(words, /^it is loaded; a \.timer unit is not executed/m);
    assert.doesNotMatch(words, /it runs since|not ready/);
  });

  test("one that waits for another says for which", async () => {
    const running = { running: { startedAt: "2024-05-01T10:00:00Z" } };
    const words = await whyUnit("a.service", true, {
      state: running,
      unit: { ...DEAD, message: "waits for b.service" },
    });
    assert.match(words, /^it waits for b\.service$/m);
  });

  test("what is wrong with the whole, and is told of no copy, is said first", async () => {
    const more = {
      status: "restarting",
      error: "relaunched after 4 s; last run: exited with 0",
      pods: [VIEW],
    } as const;
    const workload = { name: "/a", desired: 1, urls: [], ...more } as unknown as Workload;
    const reader = { get: () => undefined, by: () => [] } as unknown as Reader;
    assert.match(
      (await whyReport(reader, { workload, pods: [] }, CLOCK)).summary,
      /\(relaunched after 4 s; last run: exited with 0\)$/,
    );
    const told = { ...workload, pods: [{ ...VIEW, error: more.error }] };
    assert.doesNotMatch((await whyReport(reader, { workload: told, pods: [] }, CLOCK)).summary, /relaunched/);
  });

  test("one that failed says what failed, once", async () => {
    const terminated = { exitCode: 1, reason: "Error", message: "timeout: the start took longer than 2 s" };
    const unit = { load: "loaded", active: "failed", sub: "failed", result: "timeout" } as const;
    assert.match(
      await whyUnit("a.service", true, { state: { terminated }, unit }),
      /^it failed: timeout: the start took longer than 2 s \(failed\/failed\)$/m,
    );
  });
});

describe("styr why of many copies:", () => {
  const view = (at: number, status: WorkloadPod["status"]): WorkloadPod => ({
    ...VIEW,
    key: `default/web-${String(at).padStart(3, "0")}`,
    uid: `u${at}`,
    status,
  });
  const podOf = (key: string, placed: boolean) => ({
    metadata: { name: key.slice("default/".length), namespace: "default", uid: key, labels: { app: "web" } },
    spec: { ...(placed ? { nodeName: "n1" } : {}), containers: [{ name: "c", image: "x" }] },
    status: { phase: "Pending" },
  });
  const views = Array.from({ length: 500 }, (_, at) => view(at, at < 480 ? "running" : "unplaced"));
  const isPlaced = (key: string) => views.find((one) => one.key === key)?.status === "running";
  const reader = {
    get: (kind: Kind, key: string) => (kind.name === pods.name ? podOf(key, isPlaced(key)) : undefined),
    list: () => assert.fail("nothing is listed for a single workload"),
    by: () => [],
  } as unknown as Reader;
  const workload = { name: "web", status: "degraded", ready: 480, desired: 500, urls: [], pods: views };
  const ask = async (meant: readonly WorkloadPod[], summary = "pending: 0 of 3 nodes can take it") => {
    const asked: string[] = [];
    const explain = (pod: Pod) => {
      asked.push(pod.metadata.name);
      return { summary, nodes: [], suggestion: "fits on n1 if memory ≤ 9 MiB" };
    };
    const found = { workload: workload as unknown as Workload, pods: meant };
    return { report: await whyReport(reader, found, { ...CLOCK, explain }), asked };
  };

  test("the worst ten are told of, the others are counted", async () => {
    const { report } = await ask(views);
    assert.deepEqual(
      report.pods.map(({ key }) => key),
      views.slice(480, 490).map(({ key }) => key),
    );
    assert.match(report.summary, /; not shown: 490 more copies \(10 unplaced, 480 running\)$/);
  });

  test("the scheduler is asked once for all that wait for a node alike", async () => {
    const { report, asked } = await ask(views);
    assert.deepEqual(asked, ["web-480"]);
    for (const { sentences } of report.pods) assert.equal(sentences[0], "pending: 0 of 3 nodes can take it");
  });

  test("what change would help is said once", async () => {
    const told = "pending: 0 of 3 nodes can take it; it fits on n1 if memory ≤ 9 MiB";
    assert.deepEqual((await ask(views.slice(480, 481), told)).report.pods[0]?.sentences.slice(0, 2), [told]);
    const [summary, suggestion] = (await ask(views.slice(480, 481))).report.pods[0]?.sentences ?? [];
    assert.deepEqual([summary, suggestion], ["pending: 0 of 3 nodes can take it", "fits on n1 if memory ≤ 9 MiB"]);
  });

  test("of those that have their place the scheduler is asked only when one is named", async () => {
    assert.deepEqual((await ask(views.slice(0, 20))).asked, []);
    assert.deepEqual((await ask(views.slice(0, 1))).asked, ["web-000"]);
  });
});
