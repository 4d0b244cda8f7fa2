import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TYPE } from "../wire/constants.ts";
import { lookup } from "./lookup.ts";
import { Zones } from "./zones.ts";

function zonesWith(): Zones {
  const zones = new Zones("10.42.0.1");
  const ranges = { podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" };
  zones.put({ kind: "cluster", id: "cluster", ...ranges, domain: "cluster.local", mode: "auto" });
  zones.put({ kind: "node", id: "n1", address: "192.0.2.1", podRange: "10.42.0.0/24" });
  zones.put({ kind: "node", id: "n2", address: "192.0.2.2", podRange: "10.42.1.0/24" });
  return zones;
}

function addresses(zones: Zones, name: string): readonly number[] {
  const found = lookup(zones, name, TYPE.A, 0, { ttlSeconds: 5, negativeSeconds: 5 });
  assert.ok(found.kind === "ours", name);
  return found.answers.map(({ data }) => (data.type === "A" ? data.address % 256 : -1)).sort();
}

describe("names of what is on a lost node's own address", () => {
  test("are not given as long as there are others: apps on the host's network, and all agents together", () => {
    const zones = zonesWith();
    for (const [n, address] of ["192.0.2.1", "192.0.2.2"].entries())
      zones.put({ kind: "names", id: `u${n}`, records: [{ type: "A", name: "web.marathon.mesos", address }] });
    for (const name of ["web.marathon.mesos", "slave.mesos"]) {
      zones.setLost([]);
      assert.deepEqual(addresses(zones, name), [1, 2]);
      zones.setLost(["n2"]);
      assert.deepEqual(addresses(zones, name), [1], name);
      zones.setLost(["n1", "n2"]);
      assert.deepEqual(addresses(zones, name), [1, 2], "of lost ones only they are named: one may live");
    }
  });

  test("are given again when nobody is lost any more, also of a node without pods of its own", () => {
    const zones = zonesWith();
    zones.put({ kind: "node", id: "n3", address: "192.0.2.3" });
    zones.setLost(["n3"]);
    assert.equal(zones.hasLost, true);
    assert.deepEqual(addresses(zones, "slave.mesos"), [1, 2]);
    zones.setLost([]);
    assert.equal(zones.hasLost, false);
    assert.deepEqual(addresses(zones, "slave.mesos"), [1, 2, 3]);
  });
});
