import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../model/pod.ts";
import { deadlineOf } from "./pod-turn.ts";

const NOW = { monoMs: 5_000, wallMs: 1_000_000 };

function pod(activeDeadlineSeconds?: number): Pod {
  return {
    spec: { containers: [], ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }) },
  } as unknown as Pod;
}

test("a deadline counts from when the pod started, also when that was before this agent", () => {
  assert.equal(deadlineOf(pod(60), 1_000_000, NOW), 65_000);
  assert.equal(deadlineOf(pod(60), 900_000, NOW), -35_000, "over already");
  assert.equal(deadlineOf(pod(), 900_000, NOW), undefined);
});
