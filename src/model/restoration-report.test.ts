import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UnlistedThings } from "./restoration.ts";
import { thingsWords, unlistedOf } from "./restoration-report.ts";

const node = (name: string, ...network: readonly UnlistedThings[]) => ({
  name,
  unlisted: { kept: 0, keptPods: [], waiting: 0, waitingPods: [], network },
});

describe("what of the network nodes have and a restored store does not", () => {
  test("is counted once, though most nodes say the same, and is named", () => {
    const policy = { kind: "NetworkPolicy", count: 1, names: ["shop/late"] } as const;
    const services = { kind: "Service", count: 60, names: ["shop/a", "shop/b"] } as const;
    const all = [node("n1", policy, services), node("n2", policy), node("n3", { ...services, names: ["shop/c"] })];
    const found = unlistedOf([...all, { name: "silent" }]);
    assert.deepEqual(found, [
      { kind: "Service", count: 60, names: ["shop/a", "shop/b", "shop/c"] },
      { kind: "NetworkPolicy", count: 1, names: ["shop/late"] },
    ]);
    assert.equal(thingsWords(found), "60 Services, 1 NetworkPolicy");
    assert.equal(
      thingsWords([
        { ...policy, count: 2 },
        { kind: "route", count: 2, names: [] },
      ]),
      "2 NetworkPolicies, 2 routes",
    );
    assert.deepEqual(unlistedOf([node("n1")]), []);
  });
});
