import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { netNames } from "./names.ts";
import { bridgesBeside, chainsOf, isLed, isWritten, jumpPosition, rangesOf, restoreText } from "./rules.ts";
import { readTable } from "./shown-table.ts";

const [FORWARD, , NAT] = chainsOf(netNames("styrmann"), {
  own: "10.42.1.0/24",
  ranges: ["10.42.0.0/16"],
  tunnels: [],
  uplinks: ["eth0"],
});

describe("rules for pods of several hosts", () => {
  test("between pods, answers, and what was translated on purpose pass; nothing else of others does", () => {
    assert.deepEqual(FORWARD?.rules.slice(1), [
      "-s 10.42.0.0/16 -d 10.42.1.0/24 -j ACCEPT",
      "-s 10.42.1.0/24 -d 10.42.0.0/16 -j ACCEPT",
      "-d 10.42.1.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      ...["styrmann", "eth0"].flatMap((device) => [
        `-o ${device} -m conntrack --ctstate DNAT -j ACCEPT`,
        `-i ${device} -m conntrack --ctstate DNAT --ctdir REPLY -j ACCEPT`,
      ]),
    ]);
  });

  test("containers on Docker's other networks come to the pods of their host, and nobody comes to them", () => {
    const wish = { own: "10.42.1.0/24", ranges: ["10.42.0.0/16"], tunnels: [], beside: ["docker0"] };
    const [forward] = chainsOf(netNames("styrmann"), wish);
    assert.deepEqual(forward?.rules.slice(-2), [
      "-d 10.42.1.0/24 -i docker0 -o styrmann -j ACCEPT",
      "-s 10.42.1.0/24 -i styrmann -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]);
  });

  test("those networks are what Docker's own rules keep apart, but for ours and those that were asked to be closed", () => {
    const names = netNames("styrmann");
    const until28 = readTable(
      "-N DOCKER-ISOLATION-STAGE-2\n-A DOCKER-ISOLATION-STAGE-2 -o styrmann -j DROP\n-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP\n" +
        "-A DOCKER-ISOLATION-STAGE-2 -o br-0123456789ab -j DROP\n-A DOCKER-ISOLATION-STAGE-2 -j RETURN",
    );
    assert.deepEqual(bridgesBeside(names, until28), ["br-0123456789ab", "docker0"]);
    const later = readTable(
      "-N DOCKER-BRIDGE\n-N DOCKER-INTERNAL\n-A DOCKER-BRIDGE -o docker0 -j DOCKER\n-A DOCKER-BRIDGE -o br-closed -j DOCKER\n" +
        "-A DOCKER-INTERNAL ! -s 172.20.0.0/16 -o br-closed -j DROP",
    );
    assert.deepEqual(bridgesBeside(names, later), ["docker0"]);
    assert.deepEqual(bridgesBeside(names, readTable("-P FORWARD DROP")), [], "without Docker there are none");
  });

  test("what Docker translates for its other networks passes by Docker's rules alone", () => {
    for (const rule of FORWARD?.rules ?? []) if (rule.includes("DNAT")) assert.match(rule, /^-[io] (styrmann|eth0) /);
  });

  test("a pod that reaches itself by a published port is Docker's to translate", () => {
    assert.equal(NAT?.rules[1], "-s 10.42.1.0/24 -d 10.42.1.0/24 -j RETURN");
  });

  test("pods are translated for everybody but pods", () => {
    const rules = NAT?.rules ?? [];
    assert.ok(
      rules.indexOf("-s 10.42.1.0/24 -d 10.42.0.0/16 -j ACCEPT") < rules.indexOf("-s 10.42.1.0/24 -j MASQUERADE"),
    );
  });

  test("a range outside of the cluster's is one of its own, one inside is not", () => {
    const ranges = rangesOf("10.42.0.0/16", ["10.42.3.0/24", "10.7.0.0/20", "10.7.0.0/20", "192.168.9.0/24"]);
    assert.deepEqual(ranges, ["10.42.0.0/16", "10.7.0.0/20", "192.168.9.0/24"]);
  });

  test("a chain is known by its mark: another content, or a rule that somebody added, is written anew", () => {
    assert.ok(FORWARD);
    assert.ok(isWritten(FORWARD, FORWARD.rules));
    assert.ok(!isWritten(FORWARD, [...FORWARD.rules, "-j DROP"]));
    assert.ok(!isWritten(FORWARD, FORWARD.rules.with(0, '-m comment --comment "styr 0000000000000000"')));
    assert.ok(restoreText(FORWARD).startsWith(`*filter\n:${FORWARD.name} - [0:0]\n-A`));
  });

  test("what the user has put into DOCKER-USER is looked at first", () => {
    assert.equal(jumpPosition("DOCKER-USER", ["-s 203.0.113.0/24 -j DROP", "-j RETURN"]), 2);
    assert.equal(jumpPosition("DOCKER-USER", ["-j DROP"]), 2);
    assert.equal(jumpPosition("FORWARD", ["-j DOCKER-USER"]), 1);
  });

  test("what comes last is before a rule that leaves nothing over", () => {
    assert.equal(jumpPosition("FORWARD", ["-j DOCKER-USER", "-i eth1 -j DROP"], true), 3);
    assert.equal(jumpPosition("FORWARD", ["-j DOCKER-USER", "-j REJECT --reject-with icmp-host-prohibited"], true), 2);
  });

  test("a jump behind the end of a chain leads nowhere; who drops all that comes means it", () => {
    assert.ok(FORWARD);
    assert.ok(isLed(FORWARD, ["-s 203.0.113.0/24 -j RETURN", "-j styrmann-forward", "-j RETURN"]));
    assert.ok(!isLed(FORWARD, ["-j RETURN", "-j styrmann-forward"]));
    assert.ok(isLed(FORWARD, ["-j DROP", "-j styrmann-forward"]));
    assert.ok(!isLed(FORWARD, ["-s 203.0.113.0/24 -j styrmann-forward"]));
  });
});
