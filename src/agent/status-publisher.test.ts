import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodStatus } from "../model/pod.ts";
import { saysTheSame } from "./status-publisher.ts";

const READY = { type: "Ready", status: "True" };
const SCHEDULED = { type: "PodScheduled", status: "True" };
const STARTED = { type: "Initialized", status: "True" };

function status(conditions: readonly object[], more: Partial<PodStatus> = {}): PodStatus {
  return { phase: "Running", conditions, ...more } as PodStatus;
}

test("conditions that others write, and the order of all, are no contradiction", () => {
  assert.equal(saysTheSame(status([SCHEDULED, STARTED, READY]), status([READY, STARTED])), true);
});

test("another phase, address or condition of the agent's own is one", () => {
  assert.equal(saysTheSame(status([READY], { phase: "Failed" }), status([READY])), false);
  assert.equal(saysTheSame(status([READY], { podIP: "10.0.0.1" }), status([READY])), false);
  assert.equal(saysTheSame(status([{ ...READY, status: "Unknown" }]), status([READY])), false);
});
