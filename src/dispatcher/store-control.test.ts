import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PodReport } from "../agent/control.ts";
import { events } from "../model/event.ts";
import { type HostCertificate, hostCertificates } from "../model/host-certificate.ts";
import { kernelKinds } from "../model/kinds.ts";
import { nodes } from "../model/node.ts";
import { type Pod, type PodPhase, type PodStatus, pods } from "../model/pod.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { StoreControl } from "./store-control.ts";

const KEY = "default/web";
const SCHEDULED = { type: "PodScheduled", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" } as const;
const READY = { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:05Z" } as const;

interface Present {
  readonly status?: Partial<PodStatus>;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
}

async function stage(present: Present = {}) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("control"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const control = new StoreControl(store);
  const { status, ...metadata } = present;
  const { metadata: made } = await store.update((tx) =>
    tx.create<Pod>(pods, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "default", ...metadata },
      spec: { containers: [{ name: "main", image: "busybox" }], nodeName: "n1" },
      status: { phase: "Pending", qosClass: "Burstable", conditions: [SCHEDULED], ...status },
    }),
  );
  const say = (said: PodReport["status"], uid = made.uid) => control.report([{ key: KEY, uid, status: said }], []);
  return { store, control, uid: made.uid, say, pod: () => store.get(pods, KEY) };
}

describe("what an agent reports", () => {
  test("a condition that somebody else set stays as they set it, whatever the agent saw before", async () => {
    const gate = { type: "example.com/gate", status: "True" } as const;
    const { say, pod } = await stage({ status: { conditions: [SCHEDULED, gate] } });
    await say({ phase: "Running", conditions: [READY, { ...gate, status: "False" }] });
    assert.deepEqual(pod()?.status.conditions, [READY, SCHEDULED, gate]);
  });

  test("a condition that somebody else took away does not come back with a report that is older than that", async () => {
    const drained = { type: "DisruptionTarget", status: "True", reason: "Drain" } as const;
    const { say, pod } = await stage();
    await say({ phase: "Running", conditions: [READY, SCHEDULED, drained] });
    assert.deepEqual(pod()?.status.conditions, [READY, SCHEDULED]);
  });

  const moves: readonly (readonly [from: PodPhase, to: PodPhase, taken: boolean])[] = [
    ["Pending", "Running", true],
    ["Pending", "Failed", true],
    ["Running", "Succeeded", true],
    ["Running", "Pending", false],
    ["Succeeded", "Running", false],
    ["Failed", "Running", false],
    ["Failed", "Pending", false],
  ];
  for (const [from, to, taken] of moves) {
    test(`phases go forward only: ${to} after ${from} is ${taken ? "written" : "left aside"}`, async () => {
      const { say, pod } = await stage({ status: { phase: from, message: "before" } });
      await say({ phase: to, message: "after" });
      assert.equal(pod()?.status.phase, taken ? to : from);
      assert.equal(pod()?.status.message, taken ? "after" : "before");
    });
  }

  test("a report about an earlier pod of the same name changes nothing, not even to say that it has gone", async () => {
    const { say, pod } = await stage({ deletionTimestamp: "2026-01-01T00:00:00Z" });
    const before = pod();
    await say({ phase: "Running" }, "of-an-earlier-pod");
    await say("gone", "of-an-earlier-pod");
    assert.equal(pod(), before);
  });

  test("an event about an earlier pod of the same name is not put on the present one", async () => {
    const { control, uid, store } = await stage();
    const event = { podKey: KEY, type: "Normal", reason: "Started", message: "" } as const;
    await control.report([], [{ ...event, podUid: "of-an-earlier-pod" }]);
    assert.equal(store.count(events), 0);
    await control.report([], [{ ...event, podUid: uid }]);
    assert.equal(store.count(events), 1);
  });

  test("the scheduler's condition stays beside the agent's own", async () => {
    const { say, pod } = await stage();
    await say({ phase: "Running", conditions: [READY] });
    assert.deepEqual(pod()?.status.conditions, [READY, SCHEDULED]);
    await say({ phase: "Running" });
    assert.deepEqual(pod()?.status.conditions, [SCHEDULED]);
  });

  test("the class of service that was worked out at the start stays when the agent says none", async () => {
    const { say, pod } = await stage();
    await say({ phase: "Running" });
    assert.equal(pod()?.status.qosClass, "Burstable");
  });

  test("a pod that has gone is removed, if it was asked to go", async () => {
    const asked = await stage({ deletionTimestamp: "2026-01-01T00:00:00Z" });
    await asked.say("gone");
    assert.equal(asked.pod(), undefined);
    const unasked = await stage();
    await unasked.say("gone");
    assert.equal(unasked.pod()?.status.phase, "Pending");
  });

  test("a pod that has gone while finalizers hold it stays as one that is over", async () => {
    const held = { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["example.com/hold"] };
    const { say, pod } = await stage({ ...held, status: { phase: "Running" } });
    await say("gone");
    assert.equal(pod()?.status.phase, "Failed");
    assert.equal(pod()?.status.reason, "Deleted");
    assert.deepEqual(pod()?.metadata.finalizers, held.finalizers);
    const ended = await stage({ ...held, status: { phase: "Succeeded" } });
    await ended.say("gone");
    assert.equal(ended.pod()?.status.phase, "Succeeded", "how it ended is not rewritten");
  });
});

describe("a node that registers again", () => {
  test("keeps its cordon, its taints and labels that people gave it", async () => {
    const { control, store } = await stage();
    const registration = testNode({ name: "n1", labels: { own: "1" } });
    await control.registerNode(registration);
    await store.update((tx) => {
      const node = tx.get(nodes, "n1");
      assert.ok(node);
      const metadata = { ...node.metadata, labels: { ...node.metadata.labels, given: "yes" } };
      tx.update(nodes, { ...node, metadata, spec: { ...node.spec, unschedulable: true } });
    });
    await control.registerNode(testNode({ name: "n1", labels: { own: "2" }, cpu: "8" }));
    const node = store.get(nodes, "n1");
    assert.equal(node?.spec.unschedulable, true);
    assert.equal(node?.metadata.labels?.given, "yes");
    assert.equal(node?.metadata.labels?.own, "2");
    assert.equal(node?.status.capacity.cpu, "8");
  });
});

test("an agent in the same process needs no certificate: what it had of another time goes, as nothing renews it", async () => {
  const { store, control } = await stage();
  await store.update((tx) =>
    tx.create<HostCertificate>(hostCertificates, {
      ...{ apiVersion: hostCertificates.apiVersion, kind: "HostCertificate", metadata: { name: "node.n1" } },
      spec: {
        ...{ host: "n1", role: "node", serial: "1", issuedBy: "old", believes: [] },
        ...{ issuedAt: "2026-01-01T00:00:00Z", expiresAt: "2026-01-31T00:00:00Z" },
      },
    }),
  );
  await control.registerNode(testNode({ name: "n1" }));
  assert.equal(store.get(hostCertificates, "node.n1"), undefined);
});
