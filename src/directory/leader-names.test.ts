import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { leaderNames } from "./leader-names.ts";

describe("Mesos-DNS' names of masters", () => {
  test("are the server that leads, with its port", () => {
    const { records = [] } = leaderNames("10.0.0.1:7443") ?? {};
    assert.ok(records.some((each) => each.type === "A" && each.name === "leader.mesos" && each.address === "10.0.0.1"));
    assert.ok(records.some((each) => each.type === "SRV" && each.name === "_leader._tcp.mesos" && each.port === 7443));
  });

  test("stand for its host's name where it has no address", () => {
    const [first] = leaderNames("Styr.Example:7443")?.records ?? [];
    assert.deepEqual(first, { type: "CNAME", name: "leader.mesos", target: "styr.example" });
  });

  test("are not given for an address that means another host everywhere", () => {
    for (const address of ["127.0.0.1:7443", "localhost:7443", "0.0.0.0:7443", "[::1]:7443"])
      assert.equal(leaderNames(address), undefined, address);
  });
});
