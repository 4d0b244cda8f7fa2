import assert from "node:assert/strict";
import { test } from "node:test";
import { NODE_LOST } from "../model/node-state.ts";
import type { Pod } from "../model/pod.ts";
import { mayAnswerBack } from "./assigned-pods.ts";

function pod(conditions: readonly object[]): Pod {
  return { metadata: { name: "a", uid: "u" }, spec: { containers: [] }, status: { conditions } } as unknown as Pod;
}
const SOUND = pod([{ type: "Ready", status: "True" }]);
const LOST = pod([{ type: "Ready", status: "Unknown", reason: NODE_LOST }]);

test("a pod's status that is another is answered from a list of everything, not from a change", () => {
  for (const isHeard of [true, false]) {
    assert.equal(mayAnswerBack("all", SOUND, isHeard), true);
    assert.equal(mayAnswerBack("changed", SOUND, isHeard), false);
  }
});

test("a lost node's mark is answered however it comes, once the control plane has heard that the node lives", () => {
  for (const type of ["all", "changed"] as const) {
    assert.equal(mayAnswerBack(type, LOST, true), true);
    assert.equal(mayAnswerBack(type, LOST, false), false);
  }
});
