import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type GuardWish, guardScript } from "./guard-script.ts";
import { netNames } from "./names.ts";

const WISH: GuardWish = {
  own: "10.42.1.0/24",
  ranges: ["10.42.2.0/24", "10.7.0.0/16", "10.7.3.0/24"],
  hosts: ["192.0.2.2", "192.0.2.1", "192.0.2.2", "nowhere"],
  vxlanPort: 8472,
  isEncrypted: false,
};

const linesOf = (wish: Partial<GuardWish> = {}) =>
  guardScript("ip styrmann", netNames("styrmann"), { ...WISH, ...wish }).text.split("\n");

function rulesOf(chain: string, wish?: Partial<GuardWish>): readonly string[] {
  const begin = `add rule ip styrmann ${chain} `;
  return linesOf(wish).flatMap((line) => (line.startsWith(begin) ? line.slice(begin.length) : []));
}

describe("what the pod network takes from whom", () => {
  test("hosts once, and only addresses; of ranges that overlap the wider one", () => {
    const lines = linesOf();
    assert.ok(lines.includes("add element ip styrmann net-hosts { 192.0.2.1, 192.0.2.2 }"));
    assert.ok(lines.includes("add element ip styrmann net-ranges { 10.7.0.0/16, 10.42.2.0/24 }"));
  });

  test("this host's pods' addresses come from its bridge alone, and nothing else does; out of VXLAN come other nodes' pods alone", () => {
    const rules = rulesOf("net-arriving");
    assert.deepEqual(rules.slice(0, 5), [
      'iifname "styrmann" ip saddr != 10.42.1.0/24 counter drop',
      'iifname "styrmann" accept',
      'iifname "lo" accept',
      "ip saddr 10.42.1.0/24 counter drop",
      'iifname "styrmann-vxlan" ip saddr != @net-ranges counter drop',
    ]);
    assert.match(rules.at(-1) ?? "", /^accept comment "styr [0-9a-f]{16}"$/);
  });

  test("where all is encrypted, what is not is no other node's pod", () => {
    const rule = 'iifname != "styrmann-wg" ip saddr @net-ranges counter drop';
    assert.ok(rulesOf("net-arriving", { isEncrypted: true }).includes(rule));
    assert.ok(!rulesOf("net-arriving").includes(rule));
  });

  test("our VXLAN is taken from hosts alone, at its own port", () => {
    assert.deepEqual(rulesOf("net-to-host", { vxlanPort: 9472 }), [
      "udp dport 9472 @th,96,24 4242 ip saddr != @net-hosts counter drop",
    ]);
  });

  test("behind all other rules other nodes are answered at the last address of a pod, as no firewall answers", () => {
    assert.deepEqual(rulesOf("net-passed"), [
      "ip saddr @net-ranges ip daddr 10.42.1.254 tcp dport 9 reject with icmp type prot-unreachable",
      "ip saddr @net-ranges ip daddr 10.42.1.254 tcp dport 10 reject with tcp reset",
    ]);
    assert.ok(
      linesOf().some((line) => /chain ip styrmann net-passed \{ type filter hook forward priority 200;/.test(line)),
    );
  });

  test("another wish has another mark", () => {
    const marks = [{}, { hosts: ["192.0.2.1"] }, { own: "10.42.3.0/24" }].map(
      (wish) => guardScript("ip styrmann", netNames("styrmann"), { ...WISH, ...wish }).mark,
    );
    assert.equal(new Set(marks).size, 3);
  });
});
