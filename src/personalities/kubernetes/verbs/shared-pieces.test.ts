import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Pod, pods } from "../../../model/pod.ts";
import { services } from "../../../model/service.ts";
import type { Change } from "../../../store/transaction.ts";
import { SharedPieces } from "./shared-pieces.ts";

const change = (revision: number, kind: Change["kind"] = pods): Change => ({
  ...{ type: "added", kind, key: `default/p${revision}`, revision },
  object: { metadata: {} } as unknown as Pod,
});

describe("kubernetes: pieces that watches share", () => {
  test("the same changes are written once, others for themselves", () => {
    const shared = new SharedPieces();
    const [one, two, three] = [change(1), change(2), change(3)];
    let written = 0;
    const bytes = (...changes: readonly Change[]) =>
      shared.bytes(changes, () => {
        written++;
        return changes.map(({ revision }) => revision).join(",");
      });
    assert.equal(bytes(one, two), bytes(one, two));
    assert.equal(written, 1);
    assert.deepEqual(bytes(two), new TextEncoder().encode("2"), "one that joined later");
    assert.deepEqual(bytes(one, two, three), new TextEncoder().encode("1,2,3"), "one that fell behind");
    assert.equal(written, 3);
  });

  test("kinds do not push each other out", () => {
    const shared = new SharedPieces();
    const [pod, service] = [change(1), change(2, services)];
    const first = shared.bytes([pod], () => "pod");
    shared.bytes([service], () => "service");
    assert.equal(
      shared.bytes([pod], () => "again"),
      first,
    );
  });
});
