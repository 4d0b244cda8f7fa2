import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PodSpec, Toleration } from "./pod.ts";
import {
  EXCLUSIVE_ANNOTATION,
  isExclusive,
  type UnreachableRule,
  unreachableRuleOf,
  WHEN_UNREACHABLE_ANNOTATION,
} from "./when-unreachable.ts";

const KEY = "node.kubernetes.io/unreachable";
const KEEP: UnreachableRule = { action: "keep" };
const after = (seconds: number): UnreachableRule => ({ action: "replace", afterMs: seconds * 1000 });

function rule(spec: Partial<PodSpec>, annotations: Readonly<Record<string, string>> = {}): UnreachableRule {
  return unreachableRuleOf({ spec: { containers: [], ...spec }, metadata: { annotations } });
}

const tolerating = (...tolerations: readonly Toleration[]) => rule({ tolerations });

describe("what a pod asks for when its node is lost", () => {
  test("nothing said: replaced at once", () => assert.deepEqual(rule({}), after(0)));

  for (const [text, wanted] of [
    ["replace", after(0)],
    ["keep", KEEP],
    ["5m", after(300)],
    ["nonsense", after(0)],
    ["2147483647s", after(2_147_483_647)],
    ["2147483648s", after(0)],
  ] as const) {
    test(`the annotation ${text}`, () => assert.deepEqual(rule({}, { [WHEN_UNREACHABLE_ANNOTATION]: text }), wanted));
  }

  test("the field wins over the annotation, and that over tolerations", () => {
    const tolerations = [{ key: KEY, operator: "Exists" as const, tolerationSeconds: 7 }];
    const annotations = { [WHEN_UNREACHABLE_ANNOTATION]: "1m" };
    assert.deepEqual(rule({ tolerations }), after(7));
    assert.deepEqual(rule({ tolerations }, annotations), after(60));
    assert.deepEqual(rule({ tolerations, whenUnreachable: KEEP }, annotations), KEEP);
  });

  test("tolerations: for ever, for the shortest time, not for another effect or taint, everything", () => {
    assert.deepEqual(tolerating({ key: KEY, operator: "Exists" }), KEEP);
    assert.deepEqual(
      tolerating(
        { key: KEY, operator: "Exists", tolerationSeconds: 300 },
        { key: KEY, operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 },
      ),
      after(30),
    );
    assert.deepEqual(tolerating({ key: KEY, operator: "Exists", effect: "NoSchedule" }), after(0));
    assert.deepEqual(tolerating({ key: "node.kubernetes.io/not-ready", operator: "Exists" }), after(0));
    assert.deepEqual(tolerating({ operator: "Exists" }), KEEP);
    assert.deepEqual(tolerating({ key: KEY, operator: "Equal", value: "x", effect: "NoExecute" }), after(0));
    assert.deepEqual(tolerating({ key: KEY, value: "x", tolerationSeconds: 600 }), after(0));
    assert.deepEqual(tolerating({ key: KEY, effect: "NoExecute" }), KEEP, "an empty value is the taint's");
    assert.deepEqual(tolerating({ key: KEY, operator: "Exists", tolerationSeconds: -5 }), after(0));
  });

  test("exclusive: by field or annotation, the field wins", () => {
    const annotations = { [EXCLUSIVE_ANNOTATION]: "true" };
    const spec = { containers: [] };
    assert.equal(isExclusive({ spec }), false);
    assert.equal(isExclusive({ spec, metadata: { annotations } }), true);
    assert.equal(isExclusive({ spec: { ...spec, exclusive: false }, metadata: { annotations } }), false);
  });
});
