/** The pod network of hosts that are network namespaces: what its part makes of them, seen by packets. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { NetworkEntry } from "../../../src/model/network.ts";
import type { BridgePorts } from "../../../src/network/pod-network/bridge-guard.ts";
import type { PodPort } from "../../../src/network/pod-network/bridge-script.ts";
import { type NetHost, type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";
import { entriesOf, type LaidNode, type LaidPair, layTwo, nodeOn, reaches, until } from "./laid-node.ts";

const skip = process.getuid?.() === 0 ? false : "NOT RUN: needs root";

const show = (host: NetHost, ...args: readonly string[]) => host.run("ip", args).output;

function hexOf({ address }: NetPlace): string {
  return Buffer.from(address.split(".").map(Number)).toString("hex");
}

/** Node has no sockets for frames. */
function frameSender(hex: string): string {
  return `import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0)); s.send(bytes.fromhex("${hex}"))`;
}

const defaultOf = (host: NetHost) => /default via (\S+)/.exec(host.run("ip", ["route"]).output)?.[1] ?? "";

/** A program that sends one frame of our VXLAN (RFC 7348), empty within. */
function vxlanSender(to: string, from = "0.0.0.0"): string {
  const frame = `08000000${(4242).toString(16).padStart(6, "0")}00`;
  return [
    'const s = require("dgram").createSocket("udp4");',
    `s.bind(0, "${from}", () => s.send(Buffer.from("${frame}", "hex"), 8472, "${to}", (e) => {`,
    'process.stdout.write(e ? String(e) : "sent"); s.close(); }));',
  ].join(" ");
}

/** What a host has of routes, devices and rules: to be the same after as before. */
function traces(host: NetHost): string {
  const rules = ["filter", "nat", "mangle"].map((table) => host.run("iptables", ["-t", table, "-S"]).output).join("");
  const table = host.run("nft", ["list", "table", "ip", "styrmann"]).output.replaceAll(/packets \d+ bytes \d+/g, "");
  return `${show(host, "route")}${show(host, "-br", "link")}${rules}${table}`.replaceAll(/ (?:dead|linkdown)\b/g, "");
}

describe("pods of two hosts on one link", { skip }, () => {
  let space: NetSpace;
  let nodes: readonly LaidNode[];
  let pods: readonly [NetPlace, NetPlace];
  let clean: readonly string[];

  before(async () => {
    space = openNetSpace({ hosts: 2 });
    nodes = [nodeOn(space, 1), nodeOn(space, 2)];
    pods = [space.host(1).addPod(5), space.host(2).addPod(6)];
    // As Docker leaves it.
    for (const { host } of nodes) host.run("iptables", ["-P", "FORWARD", "DROP"]);
    for (const { host } of nodes) host.run("iptables", ["-t", "mangle", "-S"]);
    clean = nodes.map(({ host }) => traces(host));
    assert.ok(!reaches(...pods), "without a network of the cluster they do not reach each other");
    for (const node of nodes) await node.tell(entriesOf(nodes));
  });
  after(async () => {
    for (const { part } of nodes) await part.stop();
    space.close();
  });

  test("they reach each other by plain routes, though the hosts pass nothing on by default", async () => {
    assert.ok(reaches(...pods));
    assert.match(
      show(space.host(1), "route"),
      new RegExp(`${space.host(2).podRange} via ${space.host(2).address} dev eth0 proto 142`),
    );
    await until("the other node answers", () => nodes[0]?.part.report().peers?.[0]?.state === "reachable");
    const [peer] = nodes[0]?.part.report().peers ?? [];
    assert.equal(peer?.mode, "routes");
    assert.equal(peer?.mtu, 1500);
    assert.ok((peer?.rttMs ?? 0) > 0);
  });

  test("nobody is translated between pods, and who leaves the cluster is", async () => {
    const dump = (place: NetPlace, target: NetPlace) => {
      target.run("iptables", ["-I", "INPUT", "-p", "icmp", "-s", place.address, "-m", "comment", "--comment", "seen"]);
      reaches(place, target);
      const { output } = target.run("iptables", ["-nvxL", "INPUT"]);
      target.run("iptables", ["-D", "INPUT", "1"]);
      return Number(/^\s*(\d+).*seen/m.exec(output)?.[1]);
    };
    assert.ok(dump(pods[0], pods[1]) > 0, "the other pod sees this pod's own address");
    assert.ok(
      reaches(pods[0], space.host(2)),
      "the answer comes although the other host knows no such pod by its own link",
    );
    assert.equal(dump(pods[0], space.host(2)), 0, "another host sees this host's address");
  });

  test("what was translated passes by hosts' links and the pods' bridge, and not into other networks of Docker's", () => {
    const rules =
      space
        .host(1)
        .run("iptables", ["-S", "styrmann-forward"])
        .output.match(/.*DNAT.*/g) ?? [];
    assert.ok(rules.some((rule) => rule.includes("-o eth0 ")));
    assert.ok(rules.some((rule) => rule.includes("-o pods ")));
    for (const rule of rules) assert.match(rule, /-[io] (eth0|pods) /);
  });

  test("a look finds rules and routes that somebody took away, and a look at what is right writes nothing", async () => {
    const { host } = nodes[0] as LaidNode;
    const before = traces(host);
    host.run("iptables", ["-F"]);
    host.run("iptables", ["-t", "nat", "-F"]);
    host.run("ip", ["route", "del", space.host(2).podRange]);
    assert.ok(!reaches(...pods));
    await until("they reach each other again", () => reaches(...pods));
    await until("all is as it was", () => traces(host) === before);
  });

  test("an agent that starts again finds everything as it left it, and cuts nothing", async () => {
    const { host, part } = nodes[0] as LaidNode;
    await part.stop();
    const before = traces(host);
    assert.ok(reaches(...pods), "what was made goes on without it");
    const again = nodeOn(space, 1);
    nodes = [again, nodes[1] as LaidNode];
    await again.tell(entriesOf(nodes));
    assert.equal(traces(host), before);
  });

  test("a node that leaves leaves no route behind", async () => {
    const [first] = nodes as readonly [LaidNode, LaidNode];
    await first.tell(entriesOf(nodes).filter(({ id }) => id !== "n2"));
    assert.doesNotMatch(show(first.host, "route"), new RegExp(space.host(2).podRange));
    await first.tell(entriesOf(nodes));
    assert.ok(reaches(...pods));
  });

  test("a host without an engine, which has no bridge, is reached at its address all the same", async () => {
    const [first, second] = nodes as readonly [LaidNode, LaidNode];
    second.host.run("ip", ["link", "set", "pods", "down"]);
    second.host.run("ip", ["addr", "del", `${second.host.gateway}/24`, "dev", "pods"]);
    const asked = () => first.host.run("ping", ["-c", "1", "-W", "1", second.host.gateway]).exitCode === 0;
    await until("it answers", asked);
    second.host.run("ip", ["addr", "add", `${second.host.gateway}/24`, "dev", "pods"]);
    second.host.run("ip", ["link", "set", "pods", "up"]);
    await until(
      "the bridge alone has it",
      () => !show(second.host, "addr", "show", "lo").includes(second.host.gateway),
    );
    assert.ok(asked());
    await until("its pods are reached again", () => reaches(...pods));
  });

  test("where routes lead nowhere the packets are wrapped, and routes are taken again when they lead somewhere", async () => {
    const ranges = nodes.map(({ host }) => host.podRange);
    // As a cloud drops what it has not given the address of: of pods, unless it is wrapped.
    const drop = (how: "-I" | "-D") => {
      for (const { host } of nodes)
        for (const range of ranges)
          host.run("iptables", ["-t", "raw", how, "PREROUTING", "-i", "eth0", "-s", range, "-j", "DROP"]);
    };
    drop("-I");
    await until("both wrap them", () => nodes.every(({ part }) => part.report().peers?.[0]?.mode === "vxlan"));
    await until("they reach each other", () => reaches(...pods));
    // Until a probe has come through as well, it is said that nothing does.
    const words = () => nodes[0]?.part.report().peers?.[0]?.words ?? "";
    await until("it is said why", () => /do not pass the link/.test(words()));
    drop("-D");
    await until("both take routes again", () => nodes.every(({ part }) => part.report().peers?.[0]?.mode === "routes"));
    await until("they reach each other", () => reaches(...pods));
  });

  test("taken off, it leaves a host as it was", async () => {
    for (const { part } of nodes) await part.remove();
    assert.deepEqual(
      nodes.map(({ host }) => traces(host).replaceAll(/^-N DOCKER.*\n/gm, "")),
      clean,
    );
  });
});

describe("pods of two hosts with a router between them", { skip }, () => {
  let pair: LaidPair;
  let space: NetSpace;
  let nodes: LaidPair["nodes"];
  let pods: LaidPair["pods"];

  before(async () => {
    pair = await layTwo({ isApart: true });
    ({ space, nodes, pods } = pair);
  });
  after(() => pair?.close());

  test("they reach each other by VXLAN, with packets that fit", async () => {
    assert.ok(reaches(...pods));
    await until("the other node answers", () => nodes[0]?.part.report().peers?.[0]?.state === "reachable");
    const [peer] = nodes[0]?.part.report().peers ?? [];
    assert.equal(peer?.mode, "vxlan");
    assert.equal(peer?.mtu, 1450);
    const large = (bytes: number) =>
      pods[0].run("ping", ["-c", "1", "-W", "1", "-M", "do", "-s", String(bytes - 28), pods[1].address]);
    assert.equal(large(1450).exitCode, 0);
    assert.notEqual(large(1451).exitCode, 0, "what does not fit is refused, and not lost");
    assert.match(large(1451).output, /mtu ?= ?1450|too long/);
  });

  test("VXLAN is taken from hosts of the cluster alone: a pod that sends it opens nothing, nor does anybody else", async () => {
    const [one, two] = [space.host(1), space.host(2)];
    const seen = (place: NetHost, chain: string) => {
      const { output } = place.run("nft", ["list", "chain", "ip", "styrmann", chain]);
      return Number(/@net-hosts counter packets (\d+)/.exec(output)?.[1]);
    };
    const send = (from: NetPlace) => from.run(process.execPath, ["-e", vxlanSender(two.address)]);
    assert.equal(send(pods[0]).output, "sent");
    assert.equal(seen(one, "net-passing"), 1, "dropped by the pod's own host, before it gets that host's address");
    assert.equal(seen(two, "net-to-host"), 0);
    one.run("ip", ["addr", "add", "192.0.2.77/32", "dev", "lo"]);
    two.run("ip", ["route", "add", "192.0.2.77/32", "via", defaultOf(two)]);
    assert.equal(one.run(process.execPath, ["-e", vxlanSender(two.address, "192.0.2.77")]).output, "sent");
    await until("the other host drops it", () => seen(two, "net-to-host") === 1);
    one.run("ip", ["addr", "del", "192.0.2.77/32", "dev", "lo"]);
    assert.ok(reaches(...pods), "the hosts' own still comes through");
  });

  test("a host hears in VXLAN of other nodes' pods alone, and of its own pods from its own bridge alone", () => {
    const [one, two] = [space.host(1), space.host(2)];
    const dropped = (rule: RegExp) => {
      const { output } = two.run("nft", ["list", "chain", "ip", "styrmann", "net-arriving"]);
      const [, count] = rule.exec(output) ?? [];
      assert.ok(count, `there is no rule ${rule}: ${output}`);
      return Number(count);
    };
    for (const { source, rule } of [
      { source: "192.0.2.78", rule: /saddr != @net-ranges counter packets (\d+)/ },
      { source: pods[1].address.replace(/\d+$/, "200"), rule: /saddr [\d.]+\/24 counter packets (\d+)/ },
    ]) {
      one.run("ip", ["addr", "add", `${source}/32`, "dev", "lo"]);
      const before = dropped(rule);
      one.run("ping", ["-c", "1", "-W", "1", "-I", source, pods[1].address]);
      one.run("ip", ["addr", "del", `${source}/32`, "dev", "lo"]);
      assert.equal(dropped(rule), before + 1, source);
    }
  });

  test("the host itself reaches the other's pods, too", () => {
    assert.ok(reaches(space.host(1), pods[1]));
  });

  test("another UDP port is taken without a restart", async () => {
    const entries = entriesOf(nodes).map((entry) => (entry.kind === "cluster" ? { ...entry, vxlanPort: 9472 } : entry));
    for (const node of nodes) await node.tell(entries);
    assert.match(show(space.host(1), "-d", "link", "show", "styrmann-vxlan"), /dstport 9472/);
    assert.ok(reaches(...pods));
  });

  test("two networks beside each other on one host are told apart, and one that goes takes nothing of the other's", async () => {
    const other = nodeOn(space, 1, "another-network-of-long-name", "10.77.1.0/24");
    const entries = entriesOf(nodes).map((entry): NetworkEntry => {
      if (entry.kind === "node") return { ...entry, podRange: entry.id === "n1" ? "10.77.1.0/24" : "10.77.2.0/24" };
      return entry.kind === "cluster" ? { ...entry, vxlanPort: 9473 } : entry;
    });
    await other.tell(entries);
    assert.match(show(space.host(1), "route"), /10\.77\.2\.0\/24/);
    assert.ok(reaches(...pods));
    await other.part.remove();
    assert.doesNotMatch(show(space.host(1), "route"), /10\.77\./);
    assert.ok(reaches(...pods));
  });
});

describe("pods of one host", { skip }, () => {
  let space: NetSpace;
  let node: LaidNode;
  let pods: readonly [NetPlace, NetPlace, NetPlace];
  const bound: PodPort[] = [];
  const [firstLook, asking] = [Promise.withResolvers<void>(), { times: 0 }];

  const indexOf = (host: NetHost, device: string) => Number(/^(\d+):/.exec(show(host, "link", "show", device))?.[1]);
  const macOf = (pod: NetPlace) => /ether (\S+)/.exec(pod.run("ip", ["link", "show", "eth0"]).output)?.[1] ?? "";
  const dropped = () => {
    const { output } = space.host(1).run("nft", ["list", "chain", "bridge", "styrmann", "net-frames"]);
    return [...output.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const frames = () => space.host(1).run("nft", ["list", "table", "bridge", "styrmann"]).output;

  before(async () => {
    space = openNetSpace({ hosts: 1 });
    const host = space.host(1);
    pods = [host.addPod(5), host.addPod(6), host.addPod(7)];
    // A kernel says of itself that it speaks IPv6, in its own time, and nothing but IPv4 passes: that would be counted, too.
    for (const pod of pods) pod.run("sysctl", ["-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
    const ports: BridgePorts = {
      indexes: async () =>
        [...show(host, "-o", "link", "show", "master", "pods").matchAll(/^(\d+):/gm)].map(([, index]) => Number(index)),
      pods: async () => {
        if (asking.times++ > 0) await firstLook.promise;
        return bound;
      },
      strangers: () => ["fresh (its address)"],
    };
    for (const [at, pod] of pods.slice(0, 2).entries())
      bound.push({ index: indexOf(host, `v${at + 5}`), mac: macOf(pod), address: pod.address });
    node = nodeOn(space, 1, "styrmann", undefined, ports);
    await node.tell(entriesOf([node]));
  });
  after(async () => {
    await node.part.stop();
    space.close();
  });

  test("reach each other, also one of which the engine does not say yet whose it is", () => {
    assert.ok(reaches(pods[0], pods[1]) && reaches(pods[1], pods[2]) && reaches(pods[2], pods[0]));
    assert.ok(reaches(pods[0], space.host(1)));
    assert.equal(dropped(), 0);
    firstLook.resolve();
  });

  test("what waits for an address that no pod has fills nobody's buffer", () => {
    assert.equal(space.host(1).run("sysctl", ["-n", "net/ipv4/neigh/pods/unres_qlen_bytes"]).output.trim(), "4096");
  });

  for (const { who, at } of [
    { who: "a pod", at: 1 },
    { who: "a container that has just come", at: 2 },
  ])
    test(`${who} does not send as another pod of this host, nor takes its packets by its name for itself`, () => {
      const [friend, other] = [pods[0], pods[at] as NetPlace];
      const before = dropped();
      other.run("ip", ["addr", "add", `${friend.address}/32`, "dev", "lo"]);
      other.run("ping", ["-c", "1", "-W", "1", "-I", friend.address, space.host(1).gateway]);
      other.run("ip", ["addr", "del", `${friend.address}/32`, "dev", "lo"]);
      assert.ok(dropped() > before, "its address");
      const [mac, middle] = [macOf(other), dropped()];
      other.run("ip", ["link", "set", "eth0", "address", macOf(friend)]);
      assert.ok(!reaches(other, space.host(1)));
      other.run("ip", ["link", "set", "eth0", "address", mac]);
      assert.ok(dropped() > middle, "its hardware address");
      assert.ok(reaches(friend, space.host(1)));
    });

  test("frames with a VLAN's tag, which other rules would not see, go nowhere", (context) => {
    const [friend, other] = pods;
    const before = dropped();
    // The tag of VLAN 0, which a receiver takes off again, and IPv4 behind it.
    const frame = `ffffffffffff${macOf(other).replaceAll(":", "")}8100000008004500${"00".repeat(10)}${hexOf(other)}${hexOf(friend)}${"00".repeat(40)}`;
    const { output } = other.run("python3", ["-c", frameSender(frame)]);
    if (/ENOENT|No such file/.test(output)) return context.skip("NOT RUN: needs python3 to send a frame");
    assert.equal(output, "");
    assert.ok(dropped() > before);
    assert.ok(reaches(friend, other));
  });

  test("of a port that stays nobody's nothing passes, which is said, and the others go on", async () => {
    const words = () => node.part.report().words ?? "";
    await until("it is said", () => words().includes("the port of fresh (its address) is not known"));
    assert.match(words(), new RegExp(`nothing from device ${indexOf(space.host(1), "v7")} of the pods' bridge passes`));
    assert.ok(!reaches(pods[2], space.host(1)), "its own address");
    pods[2].run("ip", ["addr", "add", `${pods[2].address.replace(/\d+$/, "201")}/24`, "dev", "eth0"]);
    const free = ["-c", "1", "-W", "1", "-I", pods[2].address.replace(/\d+$/, "201"), pods[0].address];
    assert.notEqual(pods[2].run("ping", free).exitCode, 0, "an address that no pod has");
    pods[2].run("ip", ["addr", "del", `${pods[2].address.replace(/\d+$/, "201")}/24`, "dev", "eth0"]);
    assert.ok(reaches(pods[0], pods[1]));
  });

  test("a pod that is started again has another port and is believed there; what somebody took away is made again", async () => {
    const host = space.host(1);
    bound.push({ index: indexOf(host, "v7"), mac: macOf(pods[2]), address: pods[2].address });
    host.run("nft", ["flush", "ruleset"]);
    await until("the rules are there again, with the third pod", () => frames().includes(pods[2].address));
    assert.ok(reaches(pods[2], pods[0]));
    await until("it is said no more", () => !node.part.report().words?.includes("nothing from"));
    bound.splice(0, 1);
    host.run("ip", ["link", "del", "v5"]);
    await until(
      "nothing is left of the first pod",
      () => !frames().includes(`${pods[0].address} `) && !/v5/.test(frames()),
    );
  });

  test("Docker's own rules, once they were there, are missed in words until Docker makes them anew", async () => {
    const host = space.host(1);
    const make = () => {
      host.run("iptables", ["-t", "nat", "-N", "DOCKER"]);
      host.run("iptables", ["-t", "nat", "-A", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "DOCKER"]);
    };
    const words = () => node.part.report().words ?? "";
    make();
    await node.tell(entriesOf([node]));
    assert.doesNotMatch(words(), /Docker/);
    host.run("iptables", ["-t", "nat", "-F"]);
    await until("it is said", () => /took Docker's own rules away.*systemctl restart docker/.test(words()));
    let [asked, unsaid] = [0, 0];
    const look = node.part.lookAgain().then(() => true);
    while (!(await Promise.race([look, setImmediate(false)]))) {
      asked++;
      if (node.part.unpublished === undefined) unsaid++;
    }
    assert.ok(asked > 0);
    assert.equal(unsaid, 0, `while it is looked again it is said all the same (not ${unsaid} of ${asked} times)`);
    const fresh = nodeOn(space, 1);
    await fresh.part.begin();
    assert.match(fresh.part.unpublished ?? "", /Docker's own rules/, "also by an agent that has not looked yet");
    await fresh.part.stop();
    make();
    await until("it is said no more", () => !words().includes("Docker"));
  });

  test("taken off, nothing of it is left", async () => {
    await node.part.remove();
    assert.match(frames(), /No such file/);
  });
});
