import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnpublished } from "../model/node.ts";
import type { HostReading } from "./node-host.ts";
import type { NodeNetwork } from "./node-network.ts";
import { nodeReport } from "./node-report.ts";

test("a node whose engine can publish no ports says so by the reason of its condition; another part that fails is another reason", () => {
  const host = { cpuMillis: 4000, memoryBytes: 2 ** 33, diskBytes: 2 ** 40 } as HostReading;
  const isSaid = (more: Partial<NodeNetwork>): boolean => {
    const network = { wish: "", range: "10.42.3.0/24", report: {}, trouble: undefined, failing: undefined, ...more };
    const options = { nodeName: "n1", hostAddress: "192.0.2.1", version: "1", network: network as NodeNetwork };
    return isUnpublished(nodeReport(options, host, {}, 0).status.conditions);
  };
  assert.equal(isSaid({ failing: "somebody took Docker's own rules away", isUnpublished: true }), true);
  assert.equal(isSaid({ failing: "names: no port" }), false);
  assert.equal(isSaid({}), false);
});
