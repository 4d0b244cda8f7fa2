import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LAST_APPLIED, patchFor, withLastApplied } from "./three-way-patch.ts";

const given = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", labels: { app: "a" } }, spec: { x: 1 } };

describe("a patch of what changed in a file:", () => {
  test("what the file had and has no more is removed; what others set stays", () => {
    const before = withLastApplied({
      ...given,
      metadata: { name: "a", labels: { app: "a", old: "yes" } },
      spec: { x: 1, y: 2 },
    });
    const patch = patchFor(before.metadata.annotations?.[LAST_APPLIED], withLastApplied(given)) as typeof given;
    assert.deepEqual(patch.spec, { x: 1, y: null });
    assert.deepEqual(patch.metadata.labels, { app: "a", old: null });
  });

  test("applying the same file again patches nothing away", () => {
    const same = withLastApplied(given);
    assert.deepEqual(patchFor(same.metadata.annotations?.[LAST_APPLIED], same), same);
  });

  test("somebody else's text in the annotation is no reason to remove anything", () => {
    assert.deepEqual(patchFor("nonsense", given), given);
  });

  test("the annotation holds the file and not itself", () => {
    const twice = withLastApplied(withLastApplied(given));
    assert.deepEqual(twice, withLastApplied(given));
  });
});
