/** What others do to a host's network while pods talk: what is mended by itself, and what is said. Seen by packets. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type NetHost, type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";
import { entriesOf, type LaidNode, type LaidPair, layTwo, nodeOn, reaches, until } from "./laid-node.ts";

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

describe("a host that answers, and passes nothing on to its pods", { skip }, () => {
  let pair: LaidPair;
  let space: NetSpace;
  let nodes: LaidPair["nodes"];
  let pods: LaidPair["pods"];
  const seen = () => nodes[0]?.part.report().peers?.[0];

  before(async () => {
    pair = await layTwo();
    ({ space, nodes, pods } = pair);
  });
  after(() => pair?.close());

  test("says of itself that it can be asked, and is reached", async () => {
    assert.equal(nodes[1]?.part.status.echoes, true);
    await until("it answers", () => seen()?.state === "reachable");
    assert.ok(reaches(...pods));
  });

  for (const { name, how } of [
    { name: "drops", how: "drop" },
    { name: "refuses", how: "reject with icmp type port-unreachable" },
  ])
    test(`is seen by others when rules that nobody here reads ${name === "drops" ? "drop" : "refuse"} what it should pass on`, async () => {
      const host = space.host(2);
      const table = `table ip theirs { chain pass { type filter hook forward priority 0; iifname "eth0" ct state new ${how}; }; }`;
      host.run("nft", ["-f", "-"], table);
      assert.ok(!reaches(...pods));
      await until("it is said", () => /passes nothing on to its pods/.test(seen()?.words ?? ""));
      assert.equal(seen()?.state, "unreachable");
      assert.equal(seen()?.mode, "routes", "no other way would be better");
      host.run("nft", ["delete", "table", "ip", "theirs"]);
      await until("it is reached again", () => seen()?.state === "reachable");
      assert.ok(reaches(...pods));
    });
});

describe("a host that gets another address while pods talk", { skip }, () => {
  let pair: LaidPair;
  let nodes: LaidPair["nodes"];
  let pods: LaidPair["pods"];

  before(async () => {
    pair = await layTwo({ isApart: true });
    ({ nodes, pods } = pair);
  });
  after(() => pair?.close());

  test("sends from it, and is reached there, when everybody was told", async () => {
    assert.ok(reaches(...pods));
    const [, { host, place, part }] = nodes as readonly [LaidNode, LaidNode];
    const router = /default via (\S+)/.exec(host.run("ip", ["route"]).output)?.[1] ?? "";
    const next = host.address.replace(/\d+$/, (last) => String(Number(last) + 1));
    host.run("ip", ["addr", "del", `${host.address}/28`, "dev", "eth0"]);
    host.run("ip", ["addr", "add", `${next}/28`, "dev", "eth0"]);
    host.run("ip", ["route", "add", "default", "via", router]);
    assert.ok(!reaches(...pods));
    place.address = next;
    await part.lookAgain();
    for (const node of nodes) await node.tell(entriesOf(nodes));
    assert.ok(reaches(pods[0], pods[1]) && reaches(pods[1], pods[0]));
    assert.match(host.run("ip", ["-d", "link", "show", "styrmann-vxlan"]).output, new RegExp(`local ${next} `));
  });
});

describe("a host's bridge of pods that somebody was at", { skip }, () => {
  let space: NetSpace;
  let nodes: readonly LaidNode[];
  let pods: readonly [NetPlace, NetPlace];
  let host: NetHost;
  let cables: readonly string[] | undefined;
  const ip = (...args: readonly string[]) => host.run("ip", args).output;
  const isWell = () => reaches(pods[0], pods[1]) && reaches(pods[1], pods[0]) && reaches(pods[1], host);

  before(async () => {
    space = openNetSpace({ hosts: 2 });
    host = space.host(2);
    const ports = { indexes: async () => [], pods: async () => [], cables: async () => cables };
    nodes = [nodeOn(space, 1), nodeOn(space, 2, "styrmann", undefined, ports)];
    pods = [space.host(1).addPod(5), host.addPod(6)];
    for (const node of nodes) await node.tell(entriesOf(nodes));
    assert.ok(isWell());
  });
  after(async () => {
    for (const { part } of nodes) await part.stop();
    space.close();
  });

  for (const { name, args } of [
    { name: "has lost its address", args: ["addr", "flush", "dev", "pods"] },
    { name: "was set down", args: ["link", "set", "pods", "down"] },
  ])
    test(`one that ${name} is made good, and the loopback does not answer in its place`, async () => {
      ip(...args);
      assert.ok(!reaches(...pods));
      await until("pods reach each other", isWell);
      assert.doesNotMatch(ip("addr", "show", "lo"), new RegExp(host.gateway));
    });

  test("it is given its address also when the loopback has it", async () => {
    ip("addr", "add", `${host.gateway}/32`, "dev", "lo");
    ip("addr", "flush", "dev", "pods");
    await until("pods reach each other", isWell);
    await until("the bridge alone has it", () => !ip("addr", "show", "lo").includes(host.gateway));
  });

  test("one that is gone, of which the engine knows, is made again with the pods that hung on it", async () => {
    cables = ["v6"];
    ip("link", "del", "pods");
    await until("pods reach each other", isWell);
    assert.match(ip("addr", "show", "pods"), new RegExp(`${host.gateway}/24 brd`));
    await until("it is counted", () => nodes[1]?.part.report().facts?.["made anew"] === 4);
  });

  test("without an engine there is none, and the host answers at its address all the same", async () => {
    cables = undefined;
    ip("link", "del", "pods");
    await until("the loopback has it", () => ip("addr", "show", "lo").includes(host.gateway));
    assert.equal(space.host(1).run("ping", ["-c", "1", "-W", "1", host.gateway]).exitCode, 0);
  });

  test("a bridge with another range's address is Docker's to make anew", async () => {
    ip("link", "add", "pods", "type", "bridge");
    ip("addr", "add", "192.0.2.1/24", "dev", "pods");
    ip("link", "set", "pods", "up");
    await nodes[1]?.part.lookAgain();
    assert.doesNotMatch(ip("addr", "show", "pods"), new RegExp(host.gateway));
    assert.match(ip("addr", "show", "lo"), new RegExp(host.gateway));
  });
});
