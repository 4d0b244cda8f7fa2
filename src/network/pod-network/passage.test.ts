import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type PassingPacket, passageOf } from "./passage.ts";
import { readTable } from "./shown-table.ts";

const PACKET: PassingPacket = { from: "10.42.1.1", to: "10.42.0.5", in: "eth0", out: "styrmann", state: "NEW" };
const OURS = "-N ours\n-A ours -s 10.42.0.0/16 -d 10.42.0.0/24 -j ACCEPT\n";

function stoppedBy(text: string, packet = PACKET): string | undefined {
  const passage = passageOf(readTable(`-P FORWARD DROP\n${OURS}${text}`), packet);
  return passage.isStopped ? passage.rule : undefined;
}

describe("what iptables does with what a host passes on", () => {
  for (const { name, text, rule } of [
    { name: "nothing leads to the rule that lets it pass", text: "", rule: "-P FORWARD DROP" },
    { name: "it is let through", text: "-A FORWARD -j ours", rule: undefined },
    { name: "dropped before", text: "-A FORWARD -j DROP\n-A FORWARD -j ours", rule: "-A FORWARD -j DROP" },
    {
      name: "refused before, by a rule for its device",
      text: "-A FORWARD -i eth+ -p tcp -j REJECT --reject-with icmp-port-unreachable\n-A FORWARD -j ours",
      rule: "-A FORWARD -i eth+ -p tcp -j REJECT --reject-with icmp-port-unreachable",
    },
    { name: "others' rules are for others", text: "-A FORWARD ! -i eth0 -j DROP\n-A FORWARD -j ours", rule: undefined },
    {
      name: "in a chain of somebody's",
      text: "-N theirs\n-A theirs -m conntrack --ctstate NEW -j DROP\n-A FORWARD -j theirs\n-A FORWARD -j ours",
      rule: "-A theirs -m conntrack --ctstate NEW -j DROP",
    },
    {
      name: "a chain that lets go on",
      text: "-N theirs\n-A theirs -d 10.42.0.5/32 -j RETURN\n-A theirs -j DROP\n-A FORWARD -j theirs\n-A FORWARD -j ours",
      rule: undefined,
    },
    {
      name: "what is not understood may drop few",
      text: "-A FORWARD -m set --match-set bad src -j DROP\n-A FORWARD -j ours",
      rule: undefined,
    },
    { name: "and may let it pass", text: "-A FORWARD -m set --match-set good src -j ACCEPT", rule: undefined },
    {
      name: "a goto does not come back",
      text: "-N theirs\n-A FORWARD -g theirs\n-A FORWARD -j ours",
      rule: "-P FORWARD DROP",
    },
  ])
    test(name, () => assert.equal(stoppedBy(text), rule));

  test("answers are let through by other rules than first packets", () => {
    const text = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
    assert.equal(stoppedBy(text), "-P FORWARD DROP");
    assert.equal(stoppedBy(text, { ...PACKET, state: "ESTABLISHED" }), undefined);
  });
});
