import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WorkloadReader } from "../../model/workload.ts";
import { unitWorkloads } from "./workloads.ts";

function declared(name: string, desiredState = "launched") {
  const unit = { metadata: { name, uid: "u", creationTimestamp: "" }, spec: { options: [], desiredState } };
  const reader = { get: () => undefined, list: () => [unit] } as unknown as WorkloadReader;
  const [row] = unitWorkloads.list(reader);
  return [row?.desired, row?.note];
}

describe("units in styr ps:", () => {
  test("a service that is launched is wanted, one that is loaded is not", () => {
    assert.deepEqual(declared("a.service"), [1, undefined]);
    assert.deepEqual(declared("a.service", "loaded"), [0, "loaded"]);
  });

  test("what is never executed is never waited for, whatever is asked of it", () => {
    assert.deepEqual(declared("a.timer"), [0, "a .timer unit is not executed"]);
    assert.deepEqual(declared("a.socket", "loaded"), [0, "a .socket unit is not executed"]);
    assert.deepEqual(declared("a@.service"), [0, "template"]);
  });
});
