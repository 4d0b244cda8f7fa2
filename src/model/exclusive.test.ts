import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EXCLUSIVE_ANNOTATION, isExclusive } from "./exclusive.ts";

const containers = [{ name: "main" }];
const of = (kind: string, controller: boolean) => ({ ownerReferences: [{ kind, controller }] });

describe("exclusive", () => {
  test("the pod's own field wins over its annotation, and that over what it belongs to", () => {
    const annotated = (text: string) => ({ annotations: { [EXCLUSIVE_ANNOTATION]: text } });
    assert.equal(isExclusive({ spec: { containers } }), false);
    assert.equal(isExclusive({ spec: { containers, exclusive: true } }), true);
    assert.equal(isExclusive({ metadata: annotated("true"), spec: { containers, exclusive: false } }), false);
    assert.equal(isExclusive({ metadata: annotated("true"), spec: { containers } }), true);
    assert.equal(
      isExclusive({ metadata: { ...annotated("false"), ...of("StatefulSet", true) }, spec: { containers } }),
      false,
    );
  });

  test("a pod of a StatefulSet is, one that it merely refers to is not", () => {
    assert.equal(isExclusive({ metadata: of("StatefulSet", true), spec: { containers } }), true);
    assert.equal(isExclusive({ metadata: of("StatefulSet", false), spec: { containers } }), false);
    assert.equal(isExclusive({ metadata: of("ReplicationController", true), spec: { containers } }), false);
  });
});
