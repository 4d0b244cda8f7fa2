/** What others do to a host's network while pods talk: what is mended by itself, and what is said. Seen by packets. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type NetHost, type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";
import { entriesOf, type LaidNode, nodeOn, reaches, until } from "./laid-node.ts";

const skip = process.getuid?.() === 0 ? false : "NOT RUN: needs root";

describe("rules that others take away, and rules that they add", { skip }, () => {
  let space: NetSpace;
  let nodes: readonly LaidNode[];
  let pods: readonly [NetPlace, NetPlace];
  let host: NetHost;
  const iptables = (...args: readonly string[]) => host.run("iptables", args).output;
  const words = () => nodes[1]?.part.report().words ?? "";

  before(async () => {
    space = openNetSpace({ hosts: 2 });
    nodes = [nodeOn(space, 1), nodeOn(space, 2)];
    pods = [space.host(1).addPod(5), space.host(2).addPod(6)];
    host = space.host(2);
    // As Docker leaves it.
    iptables("-P", "FORWARD", "DROP");
    iptables("-N", "DOCKER-USER");
    iptables("-A", "DOCKER-USER", "-j", "RETURN");
    iptables("-I", "FORWARD", "-j", "DOCKER-USER");
    for (const node of nodes) await node.tell(entriesOf(nodes));
  });
  after(async () => {
    for (const { part } of nodes) await part.stop();
    space.close();
  });

  test("Docker's chain for users leads to ours, before it returns", () => {
    assert.match(iptables("-S", "DOCKER-USER"), /-j styrmann-forward\n-A DOCKER-USER -j RETURN/);
    assert.doesNotMatch(iptables("-S", "FORWARD"), /-j styrmann-forward/);
    assert.ok(reaches(...pods));
  });

  test("after a flush, where Docker's chain is there and nothing leads to it, pods reach each other again", async () => {
    iptables("-F");
    assert.ok(!reaches(...pods));
    await until("they reach each other", () => reaches(pods[0], pods[1]) && reaches(pods[1], pods[0]));
    assert.match(iptables("-S", "FORWARD"), /-j styrmann-forward/);
  });

  test("when Docker leads to its chain again, ours is behind the user's own rules there, and cuts nothing on its way", async () => {
    iptables("-A", "DOCKER-USER", "-j", "RETURN");
    iptables("-I", "FORWARD", "-j", "DOCKER-USER");
    await until("it is led to from there alone", () => !iptables("-S", "FORWARD").includes("-j styrmann-forward"));
    assert.match(iptables("-S", "DOCKER-USER"), /-j styrmann-forward\n-A DOCKER-USER -j RETURN/);
    assert.ok(reaches(...pods));
  });

  test("a rule of somebody's that stops pods is named, as long as it is there", async () => {
    iptables("-I", "FORWARD", "-i", "eth0", "-j", "DROP");
    assert.ok(!reaches(...pods));
    await until("it is said", () =>
      words().includes('cut off from other hosts: iptables\' rule "-A FORWARD -i eth0 -j DROP"'),
    );
    assert.equal(nodes[1]?.part.report().state, "failing");
    assert.match(nodes[1]?.part.trouble ?? "", /cut off/);
    iptables("-D", "FORWARD", "-i", "eth0", "-j", "DROP");
    await until("it is said no more", () => nodes[1]?.part.report().state === "working");
    assert.ok(reaches(...pods));
  });
});
