import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StoredObject } from "../model/meta.ts";
import type { DeclaredWorkload, WorkloadReader, WorkloadSource } from "../model/workload.ts";
import { listWorkloads } from "./workloads.ts";

const DECLARED: DeclaredWorkload = {
  dialect: "fleet",
  kind: "Unit",
  name: "a.service",
  uid: "u-a",
  key: "a.service",
  desired: 1,
  createdAt: "2024-05-01T09:00:00Z",
  what: "/bin/a",
  canScale: false,
};

function source(...declared: readonly DeclaredWorkload[]): WorkloadSource {
  return { dialect: "fleet", kinds: [], list: () => declared };
}

function reader(...pods: readonly object[]): WorkloadReader {
  return {
    get: () => undefined,
    list: ((kind: { name: string }) => (kind.name === "Pod" ? pods : [])) as unknown as WorkloadReader["list"],
  };
}

function pod(name: string, annotations: Record<string, string>, status: object = { phase: "Running" }): object {
  const metadata = { name, namespace: "fleet", uid: name, annotations, creationTimestamp: "2024-05-01T10:00:00Z" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { containers: [], nodeName: "n1" },
    status,
  } as unknown as StoredObject;
}

const OF_A = { "styrmann.dev/dialect": "fleet", "styrmann.dev/workload": "a.service" };
const READY = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };

describe("rows of styr ps:", () => {
  const one = (declared: DeclaredWorkload, ...pods: readonly object[]) => {
    const [row] = listWorkloads(reader(...pods), [source(declared)]);
    assert.ok(row);
    return row;
  };

  test("declared and not yet made: starting, with its command", () => {
    const { status, desired, ready, what } = one(DECLARED);
    assert.deepEqual([status, desired, ready, what], ["starting", 1, 0, "/bin/a"]);
  });

  describe("copies on lost nodes", () => {
    const LOST = {
      phase: "Running",
      conditions: [{ type: "Ready", status: "False", reason: "NodeLost", message: "node n1 is unreachable" }],
    };

    test("alone are the workload's trouble", () => {
      const { status, error, ready } = one(DECLARED, pod("a", OF_A, LOST));
      assert.deepEqual([status, error, ready], ["lost", "node n1 is unreachable", 0]);
    });

    test("are none where enough others run", () => {
      const { status, error, ready } = one(DECLARED, pod("a", OF_A, LOST), pod("b", OF_A, READY));
      assert.deepEqual([status, error, ready], ["running", undefined, 1]);
    });

    test("of what is not wanted any more are on their way out", () => {
      assert.equal(one({ ...DECLARED, desired: 0 }, pod("a", OF_A, LOST)).status, "stopping");
    });
  });

  test("nothing wanted: stopped, with the reason", () => {
    const { status, note } = one({ ...DECLARED, desired: 0, note: "inactive" });
    assert.deepEqual([status, note], ["stopped", "inactive"]);
  });

  test("one per node: as many as there are, and unplaced rather than stopped without any", () => {
    const everywhere = { ...DECLARED, desired: "each node" } as const;
    const { desired, ready, status } = one(everywhere, pod("x", OF_A, READY), pod("y", OF_A, READY));
    assert.deepEqual([desired, ready, status], [2, 2, "running"]);
    assert.equal(one(everywhere).status, "unplaced");
  });

  test("a pod that outlives its declaration keeps its name, and is wanted no more", () => {
    const [row] = listWorkloads(reader(pod("x", OF_A, READY)), [source()]);
    assert.deepEqual([row?.name, row?.dialect, row?.desired], ["a.service", "fleet", 0]);
  });

  const ended = (name: string, exitCode: number) => {
    const terminated = { exitCode, reason: exitCode === 0 ? "Completed" : "Error" };
    const containerStatuses = [{ name: "main", state: { terminated }, ready: false, restartCount: 0 }];
    return pod(name, OF_A, { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses });
  };
  const AGAIN = { ...DECLARED, relaunch: { delaySeconds: 4, since: "2024-05-01T10:00:00.900Z" } };

  test("between two runs of what is always run again: restarting, however the last one ended", () => {
    for (const exitCode of [0, 3]) {
      const { status, error, pods } = one(AGAIN, ended("x", exitCode));
      assert.equal(status, "restarting");
      assert.equal(error, `relaunched after 4 s; last run: exited with ${exitCode}`);
      assert.equal(pods.length, 1, "the ended copy is there for its logs");
    }
    assert.equal(one(DECLARED, ended("x", 0)).status, "done", "nothing follows it");
  });

  test("an ended copy says nothing once another runs, none is wanted, or the configuration has changed", () => {
    const { status, error } = one(AGAIN, ended("x", 3), pod("y", OF_A, READY));
    assert.deepEqual([status, error], ["running", undefined]);
    assert.equal(one({ ...AGAIN, desired: 0 }, ended("x", 3)).status, "stopped");
    const changed = { ...AGAIN, relaunch: { delaySeconds: 4, since: "2024-05-01T10:00:01.000Z" } };
    assert.deepEqual(one(changed, ended("x", 3)).status, "starting");
  });

  test("a copy on its way after one that ended is a restart, and a missing one is told why", () => {
    assert.equal(one(AGAIN, ended("x", 3), pod("y", OF_A, { phase: "Pending" })).status, "restarting");
    const { status, error } = one({ ...AGAIN, desired: 2 }, ended("x", 3), pod("y", OF_A, READY));
    assert.deepEqual([status, error], ["degraded", "relaunched after 4 s; last run: exited with 3"]);
  });

  test("a command of megabytes is cut in a row", () => {
    assert.ok(one({ ...DECLARED, what: "x".repeat(5_000_000) }).what.length < 400);
  });
});
