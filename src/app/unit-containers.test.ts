import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LABEL } from "../drivers/docker/labels.ts";
import { isStartedBy } from "./unit-containers.ts";

const OURS = { [LABEL.unit]: "a.service", [LABEL.pod]: "p1", [LABEL.instance]: "i1" };

describe("a container is a unit's", () => {
  const table: readonly { readonly why: string; readonly labels: Record<string, string>; readonly isChild: boolean }[] =
    [
      { why: "its labels are those that docker run was given", labels: OURS, isChild: true },
      { why: "it has the name that the unit gave it and no labels of ours", labels: {}, isChild: true },
      {
        why: "its image claims the unit's name, and nothing else",
        labels: { [LABEL.unit]: "a.service" },
        isChild: false,
      },
      { why: "it belongs to another pod of that unit's name", labels: { ...OURS, [LABEL.pod]: "p0" }, isChild: false },
      { why: "another state directory made it", labels: { ...OURS, [LABEL.instance]: "i0" }, isChild: false },
      {
        why: "it is a pod's own container, whatever its image says",
        labels: { ...OURS, [LABEL.role]: "app", [LABEL.podUid]: "p1" },
        isChild: false,
      },
    ];
  for (const { why, labels, isChild } of table) {
    test(`${isChild ? "yes" : "no"}: ${why}`, () => assert.equal(isStartedBy("p1", "i1", labels), isChild));
  }
});
