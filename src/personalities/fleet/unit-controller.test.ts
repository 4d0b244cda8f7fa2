import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernelKinds } from "../../model/kinds.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { testPod } from "../../scheduling/test-objects.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { SeededRandom } from "../../seams/random.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { Store } from "../../store/store.ts";
import { units } from "./kinds.ts";
import { UNIT_CONTAINER } from "./translate.ts";
import { unitController } from "./unit-controller.ts";

const NAME = "one.service";
const running: Pod = {
  ...testPod({
    name: "one",
    spec: { nodeName: "n1", containers: [{ name: UNIT_CONTAINER }] },
  }),
  status: { phase: "Running" },
};
const before: Pod = {
  ...running,
  metadata: {
    ...running.metadata,
    annotations: { "styrmann.dev/workload": NAME },
    ownerReferences: [{ apiVersion: "v1", kind: "Unit", name: NAME, uid: "u", controller: true }],
  },
};

describe("a pod of a unit", () => {
  const changes: readonly (readonly [why: string, object: Pod, wakes: boolean])[] = [
    ["has another message: nothing to do", { ...before, status: { ...before.status, message: "beat" } }, false],
    ["has ended: its unit is looked at", { ...before, status: { phase: "Failed" } }, true],
    ["has another place: its unit is looked at", { ...before, spec: { ...before.spec, nodeName: "n2" } }, true],
    [
      "is asked to go: its unit is looked at",
      { ...before, metadata: { ...before.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } },
      true,
    ],
  ];
  for (const [why, object, wakes] of changes) {
    test(why, async () => {
      const [clock, random, log] = [new ManualClock(), new SeededRandom(1), silentLog];
      const kinds = [...kernelKinds, units];
      const store = await Store.open({ kinds, journal: new MemoryJournal(), clock, random, log });
      const change = { type: "modified", kind: pods, key: "fleet/one", object, before, revision: 1 } as const;
      const woken = unitController.wakers
        .filter(({ kind }) => kind.name === pods.name)
        .flatMap(({ keys }) => keys(object, store, { ...change, kind: pods as never }));
      assert.deepEqual(woken, wakes ? [NAME] : []);
    });
  }
});
