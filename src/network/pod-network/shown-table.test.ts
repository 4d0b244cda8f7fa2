import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endsChain, everyonesTarget, reachedChains, readTable } from "./shown-table.ts";

const AFTER_FLUSH = `-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-N DOCKER
-N DOCKER-USER
-N styrmann-forward
-A FORWARD -o docker0 -j DOCKER
-A DOCKER-USER -j styrmann-forward
`;

describe("a table of iptables", () => {
  test("chains, their rules, and what becomes of the rest", () => {
    const { chains, policies } = readTable(AFTER_FLUSH);
    assert.deepEqual(chains.get("DOCKER-USER"), ["-j styrmann-forward"]);
    assert.deepEqual(chains.get("DOCKER"), []);
    assert.equal(policies.get("FORWARD"), "DROP");
  });

  test("a chain that is there without anything that leads everybody to it is reached by nobody", () => {
    assert.deepEqual([...reachedChains(readTable(AFTER_FLUSH))], ["INPUT", "FORWARD", "OUTPUT"]);
    const led = readTable(`${AFTER_FLUSH}-A FORWARD -m comment --comment "for all" -j DOCKER-USER\n`);
    assert.deepEqual([...reachedChains(led)].slice(3), ["DOCKER-USER", "styrmann-forward"]);
  });

  test("also by way of somebody else's chain", () => {
    const led = readTable(
      `${AFTER_FLUSH}-N FORWARD_direct\n-A FORWARD -j FORWARD_direct\n-A FORWARD_direct -j DOCKER-USER\n`,
    );
    assert.ok(reachedChains(led).has("DOCKER-USER"));
  });

  test("a rule with a condition is not everybody's", () => {
    assert.equal(everyonesTarget("-o docker0 -j DOCKER-USER"), undefined);
    assert.equal(everyonesTarget('-m comment --comment "a \\"b\\" c" -j DROP'), "DROP");
    assert.ok(endsChain("-j REJECT --reject-with icmp-port-unreachable"));
    assert.ok(!endsChain("-j LOG"));
  });
});
