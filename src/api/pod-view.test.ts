import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ContainerStatus, Pod, PodStatus } from "../model/pod.ts";
import { podView } from "./pod-view.ts";

const base = { name: "main", ready: false, restartCount: 0, image: "", imageID: "" };
const RUNNING = { running: { startedAt: "2024-05-01T10:00:00Z" } };
const READY = { conditions: [{ type: "Ready", status: "True" }] } as const;

function pod(status: PodStatus, spec: Partial<Pod["spec"]> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod {
  const given = { name: "p", namespace: "default", uid: "u", resourceVersion: "1", generation: 1 };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...given, creationTimestamp: "2024-05-01T09:00:00Z", ...metadata },
    spec: { containers: [{ name: "main" }], nodeName: "n1", ...spec },
    status,
  };
}

function container(more: Partial<ContainerStatus>): PodStatus {
  return { phase: "Running", containerStatuses: [{ ...base, state: RUNNING, ...more }] };
}

function unitPod(name: string, start: boolean, more: Partial<ContainerStatus>): Pod {
  return pod(container(more), { containers: [{ name: "main", unit: { name, options: [], start } }] });
}

describe("a copy, in one word and with its error:", () => {
  const cases: readonly { why: string; pod: Pod; status: string; error?: string }[] = [
    { why: "just made", pod: pod({ phase: "Pending" }, { nodeName: undefined as never }), status: "starting" },
    {
      why: "no node takes it",
      pod: pod(
        {
          phase: "Pending",
          conditions: [{ type: "PodScheduled", status: "False", message: "no room: 1 node lacks 300 MiB" }],
        },
        { nodeName: undefined as never },
      ),
      status: "unplaced",
      error: "no room: 1 node lacks 300 MiB",
    },
    { why: "ready", pod: pod({ ...container({}), ...READY }), status: "running" },
    { why: "not ready yet", pod: pod(container({})), status: "starting" },
    {
      why: "the image does not exist",
      pod: pod(container({ state: { waiting: { reason: "ErrImagePull", message: "manifest unknown" } } })),
      status: "pending",
      error: "manifest unknown",
    },
    {
      why: "being made",
      pod: pod(container({ state: { waiting: { reason: "ContainerCreating" } } })),
      status: "starting",
    },
    {
      why: "crashing: the last end is told",
      pod: pod(
        container({
          state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
          lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
        }),
      ),
      status: "restarting",
      error: "exited with 137 (OOMKilled); back-off 10s",
    },
    {
      why: "a unit that failed",
      pod: pod(
        container({
          state: {
            terminated: {
              exitCode: 125,
              reason: "Error",
              message: "exit-code: the main process exited with code 125: docker: port is already allocated\n",
            },
          },
          unit: { load: "loaded", active: "failed", sub: "failed", result: "exit-code" },
        }),
      ),
      status: "failed",
      error: "exit-code: the main process exited with code 125: docker: port is already allocated",
    },
    {
      why: "a unit that no process made fail: no exit code is made up for it",
      pod: pod(
        container({
          state: {
            terminated: { exitCode: 1, reason: "Error", message: "resources: /etc/x.env: there is no such file" },
          },
          unit: { load: "loaded", active: "failed", sub: "failed", result: "resources" },
        }),
      ),
      status: "failed",
      error: "resources: /etc/x.env: there is no such file",
    },
    {
      why: "a unit that is only loaded, also after it was stopped",
      pod: unitPod("a.service", false, {
        state: { waiting: { reason: "Loaded" } },
        lastState: { terminated: { exitCode: 0, reason: "Completed" } },
        unit: { load: "loaded", active: "inactive", sub: "dead" },
      }),
      status: "stopped",
    },
    {
      why: "its node is unreachable: nobody knows whether it runs",
      pod: pod({
        ...container({ ready: true }),
        conditions: [{ type: "Ready", status: "False", reason: "NodeLost", message: "node n1 is unreachable" }],
      }),
      status: "lost",
      error: "node n1 is unreachable",
    },
    {
      why: "a unit that is being stopped",
      pod: unitPod("a.service", false, {
        state: { waiting: { reason: "Loaded" } },
        unit: { load: "loaded", active: "deactivating", sub: "stop-sigterm" },
      }),
      status: "stopping",
    },
    {
      why: "a unit that is about to be started",
      pod: unitPod("a.service", true, {
        state: { waiting: { reason: "Loaded" } },
        unit: { load: "loaded", active: "inactive", sub: "dead" },
      }),
      status: "starting",
    },
    {
      why: "a timer that is to be started: it never is",
      pod: unitPod("a.timer", true, { unit: { load: "loaded", active: "inactive", sub: "dead" } }),
      status: "stopped",
    },
    {
      why: "a unit that waits for its restart",
      pod: pod(
        container({
          unit: { load: "loaded", active: "activating", sub: "auto-restart", message: "exit-code: it exited" },
        }),
      ),
      status: "restarting",
      error: "exit-code: it exited",
    },
    { why: "finished", pod: pod({ phase: "Succeeded" }), status: "done" },
    { why: "failed for good", pod: pod({ phase: "Failed", reason: "Evicted" }), status: "failed", error: "Evicted" },
    {
      why: "asked to go",
      pod: pod({ ...container({}), ...READY }, {}, { deletionTimestamp: "2024-05-01T10:01:00Z" }),
      status: "stopping",
    },
  ];
  for (const { why, pod: given, status, error } of cases) {
    test(why, () => {
      const view = podView(given, undefined);
      assert.equal(view.status, status);
      assert.equal(view.error, error);
    });
  }
});

describe("where a copy answers:", () => {
  const node = { status: { addresses: [{ type: "InternalIP", address: "10.0.0.5" }] } } as never;
  const at = (spec: Partial<Pod["spec"]>, more: Partial<ContainerStatus> = {}) =>
    podView(pod({ ...container(more), ...READY, podIP: "10.42.0.7" }, spec), node).urls;
  const ports = (...given: readonly object[]) => ({ containers: [{ name: "main", ports: given }] }) as never;

  test("a published port: on the node", () => {
    assert.deepEqual(at(ports({ containerPort: 8080, hostPort: 31005 })), ["http://10.0.0.5:31005"]);
  });
  test("any other port: on the pod's own address", () => {
    assert.deepEqual(at(ports({ containerPort: 80 }, { containerPort: 8443 })), [
      "http://10.42.0.7",
      "https://10.42.0.7:8443",
    ]);
  });
  test("on the host's network: on the node, whatever is published", () => {
    assert.deepEqual(at({ ...(ports({ containerPort: 8080 }) as object), hostNetwork: true }), [
      "http://10.0.0.5:8080",
    ]);
  });
  test("databases are not said to speak HTTP, UDP is left out", () => {
    assert.deepEqual(at(ports({ containerPort: 6379 }, { containerPort: 53, protocol: "UDP" })), [
      "tcp://10.42.0.7:6379",
    ]);
  });
  test("containers that a unit started itself, while they run", () => {
    const child = (state: string, hostPort: number) => ({
      id: state,
      name: state,
      image: "nginx",
      state,
      ports: [{ containerPort: 80, hostPort, protocol: "tcp" }],
    });
    assert.deepEqual(at({}, { children: [child("running", 8081), child("exited", 8082)] }), ["http://10.0.0.5:8081"]);
  });
});

test("a copy whose status cannot be read is a row that says so", () => {
  const broken = pod({ phase: "Running", containerStatuses: [{ ...base, state: null as never }] });
  const { status, error, key } = podView(broken, undefined);
  assert.equal(key, "default/p");
  assert.equal(status, "failed");
  assert.match(error ?? "", /its status cannot be read/);
});
