import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_CLUSTER_SETTINGS } from "../../model/cluster-settings.ts";
import { stallGraceMs } from "./lease.ts";

describe("after the control plane stood still", () => {
  test("nobody's silence counts for as long as it stood and a lease, and never longer than after a start", () => {
    assert.equal(stallGraceMs(3_000.4, DEFAULT_CLUSTER_SETTINGS), 11_000);
    assert.equal(stallGraceMs(600_000, DEFAULT_CLUSTER_SETTINGS), 30_000);
  });
});
