import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeRow } from "../model/reports.ts";
import { healthCell, nodeTrouble } from "./nodes.ts";

test("what is amiss with a node's network stands among its troubles, as no other's", () => {
  const row = { drivers: [{ name: "docker", ready: true }] } as unknown as NodeRow;
  assert.equal(nodeTrouble(row), undefined);
  const network = ["the pod network cannot be made: 10.42.0.0/16 is in use on eth7; choose another range"];
  assert.equal(nodeTrouble({ ...row, network }), `network: ${network[0]}`);
  const ready = { ...row, state: "ready" } as const;
  assert.deepEqual(
    [healthCell(ready), healthCell({ ...ready, network })],
    ["ok", { text: "NetworkTrouble", color: "yellow" }],
  );
});
