/** NetworkPolicies by real packets, between pods that are network namespaces: who gets through, and who does not. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { NetworkEntry, PolicyEntry, PolicyRule } from "../../../src/model/network.ts";
import { ManualClock } from "../../../src/seams/manual-clock.ts";
import { type NetHost, type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";
import { PoliciesNode } from "./policies-node.ts";
import { asks, talk, until } from "./talking.ts";

const skip = process.getuid?.() === 0 ? false : "NOT RUN: needs root";
const PORTS = [80, 81, 8080];

describe("NetworkPolicies, by packets:", { skip }, () => {
  let space: NetSpace;
  let here: NetHost;
  let there: NetHost;
  let web: NetPlace;
  let front: NetPlace;
  let far: NetPlace;
  let node: PoliciesNode;

  before(async () => {
    space = openNetSpace({ hosts: 2 });
    [here, there] = [space.host(1), space.host(2)];
    // The pod network's work, by hand: routes, and bridged packets that nftables sees.
    for (const [mine, other] of [
      [here, there],
      [there, here],
    ] as const) {
      mine.run("ip", ["route", "add", other.podRange, "via", other.address]);
      mine.run("sysctl", ["-qw", "net.bridge.bridge-nf-call-iptables=1"]);
    }
    [web, front, far] = [here.addPod(5), here.addPod(6), there.addPod(7)];
    for (const pod of [web, far]) pod.spawn(`answer-${pod.netns}`, talk("answer", ...PORTS.map(String), "udp:5353"));
    await until(() => [web, far].every(({ address }) => reaches(here, address).length > 2), "both pods answer");
    node = new PoliciesNode(here);
  });
  after(async () => {
    await node?.part.stop();
    space?.close();
  });

  const policy = (part: Partial<PolicyEntry>, id = "shop/p"): PolicyEntry => ({
    ...{ kind: "policy", id, namespace: "shop", podSelector: { matchLabels: { app: "web" } } },
    ...part,
  });
  const ingress = (...rules: readonly PolicyRule[]) => policy({ ingress: rules });
  const pods = () => [
    { name: "web", place: web, labels: { app: "web" }, ports: { http: 8080 } },
    { name: "front", place: front, labels: { app: "front" }, ports: {} },
  ];
  const fronts = (...places: readonly NetPlace[]): NetworkEntry => ({
    ...{ kind: "peers", id: "fronts on n1", group: "fronts", addresses: places.map(({ address }) => address) },
  });

  test("without a policy everybody reaches everybody, and nothing is in the kernel", async () => {
    await node.has([], pods());
    assert.deepEqual(reachable(web.address), { front: PORTS, far: PORTS, host: PORTS });
    assert.equal(node.rules(), "");
  });

  test("a pod that is selected is closed: to pods of its own host and of others, but not to its own host, which probes it", async () => {
    await node.has([ingress()], pods());
    assert.deepEqual(reachable(web.address), { front: [], far: [], host: PORTS });
    assert.equal(canReach(web, far.address, 80), true, "what it sends itself goes out, and the answers come in");
    assert.equal(canReach(there, web.address, 80), false, "another host is no pod, and not its own host");
  });

  test("a group of peers is let in, as it is now", async () => {
    await node.has([ingress({ from: [{ peers: "fronts" }] }), fronts(front)], pods());
    assert.deepEqual(reachable(web.address), { front: PORTS, far: [], host: PORTS });
    await node.hears([fronts(far)]);
    assert.deepEqual(reachable(web.address), { front: [], far: PORTS, host: PORTS });
  });

  test("ranges of addresses, but for their exceptions", async () => {
    const all = { cidr: "0.0.0.0/0", except: [there.podRange] };
    await node.has([ingress({ from: [all] })], pods());
    assert.deepEqual(reachable(web.address), { front: PORTS, far: [], host: PORTS });
    await node.has([ingress({ from: [{ cidr: there.podRange, except: [] }] })], pods());
    assert.deepEqual(reachable(web.address), { front: [], far: PORTS, host: PORTS });
  });

  test("a range that means a host means it by whichever way it sends, as of when the host is known", async () => {
    // As through a tunnel: from the range's own address.
    const tunnel = `${there.podRange.split("/")[0]}`;
    there.run("ip", ["addr", "add", `${tunnel}/32`, "dev", "lo"]);
    there.run("ip", ["route", "replace", here.podRange, "via", here.address, "src", tunnel]);
    const block = (except: readonly string[], cidr: string) => ingress({ from: [{ cidr, except }] });
    const other: NetworkEntry = { kind: "node", id: "n2", address: there.address, podRange: there.podRange };
    await node.has([block([], `${there.address}/32`)], pods());
    assert.deepEqual(reaches(there, web.address), []);
    await node.hears([other]);
    assert.deepEqual(reaches(there, web.address), PORTS);
    assert.deepEqual(reaches(far, web.address), [], "its pods are not meant");
    await node.has([block([`${there.address}/32`], "0.0.0.0/0"), other], pods());
    assert.deepEqual([reaches(there, web.address), reaches(far, web.address)], [[], PORTS]);
    there.run("ip", ["route", "replace", here.podRange, "via", here.address]);
    there.run("ip", ["addr", "del", `${tunnel}/32`, "dev", "lo"]);
  });

  test("a range with a thousand exceptions", async () => {
    const except = Array.from({ length: 1000 }, (_, at) => `10.99.${at >> 8}.${at % 256}/32`);
    const all = (more: string) => ingress({ from: [{ cidr: "0.0.0.0/0", except: [...except, more] }] });
    await node.has([all(there.podRange)], pods());
    assert.deepEqual(reachable(web.address), { front: PORTS, far: [], host: PORTS });
    await node.has([all(`${front.address}/32`)], pods());
    assert.deepEqual(reachable(web.address), { front: [], far: PORTS, host: PORTS });
    assert.equal(node.part.report().state, "working");
  });

  test("ports by number, by range and by name", async () => {
    await node.has([ingress({ ports: [{ protocol: "tcp", port: 80 }] })], pods());
    assert.deepEqual(reachable(web.address).front, [80]);
    await node.has([ingress({ ports: [{ protocol: "tcp", port: 80, endPort: 81 }] })], pods());
    assert.deepEqual(reachable(web.address).front, [80, 81]);
    await node.has([ingress({ ports: [{ protocol: "tcp", port: "http" }] })], pods());
    assert.deepEqual(reachable(web.address).front, [8080]);
    await node.has([ingress({ ports: [{ protocol: "udp" }] })], pods());
    assert.deepEqual(reachable(web.address).front, []);
    assert.equal(answersUdp(front, web.address), true);
    await node.has([ingress({ ports: [{ protocol: "tcp" }] })], pods());
    assert.equal(answersUdp(front, web.address), false);
  });

  test("policies add up", async () => {
    const second = policy({ ingress: [{ ports: [{ protocol: "tcp", port: 81 }] }] }, "shop/q");
    await node.has([ingress({ ports: [{ protocol: "tcp", port: 80 }] }), second], pods());
    assert.deepEqual(reachable(web.address).far, [80, 81]);
    await node.loses("policy", "shop/p");
    assert.deepEqual(reachable(web.address).far, [81]);
    await node.loses("policy", "shop/q");
    assert.deepEqual(reachable(web.address).far, PORTS);
    assert.equal(node.rules(), "", "nothing is left of them");
  });

  test("many policies add up, too, and one that comes or goes counts at once", async () => {
    const lets = (n: number, place: NetPlace) =>
      policy(
        { ingress: [{ from: [{ cidr: `${place.address}/32`, except: [] }], ports: port(PORTS[n] ?? 0) }] },
        `shop/p${n}`,
      );
    const port = (number: number) => [{ protocol: "tcp" as const, port: number }];
    const closing = policy({ ingress: [] }, "shop/none");
    await node.has([closing, lets(0, front), lets(1, far), lets(2, front)], pods());
    assert.deepEqual(reachable(web.address), { front: [80, 8080], far: [81], host: PORTS });
    await node.hears([lets(0, far)]);
    assert.deepEqual(reachable(web.address), { front: [8080], far: [80, 81], host: PORTS });
    await node.hears([policy({ ingress: [{ from: [{ peers: "fronts" }] }] }, "shop/p3"), fronts(front)]);
    assert.deepEqual(reachable(web.address), { front: PORTS, far: [80, 81], host: PORTS });
  });

  test("what goes out is closed by itself: to other pods and to the host, but for names and for itself", async () => {
    const out = (...egress: readonly PolicyRule[]) =>
      policy({ egress, podSelector: { matchLabels: { app: "front" } } });
    await node.has([out()], pods());
    here.spawn("host", talk("answer", "90", "53"));
    await until(() => canReach(web, here.gateway, 90) && canReach(web, here.gateway, 53), "the host answers");
    assert.deepEqual([canReach(front, web.address, 80), canReach(front, far.address, 80)], [false, false]);
    assert.deepEqual([canReach(front, here.gateway, 90), canReach(front, here.gateway, 53)], [false, true]);
    assert.equal(canReach(web, here.address, 53), true);
    assert.equal(canReach(front, here.address, 53), false, "at its other addresses port 53 is any program's");
    await node.has([out({ from: [{ peers: "fronts" }], ports: [{ protocol: "tcp", port: 80 }] }), fronts(far)], pods());
    assert.deepEqual([canReach(front, far.address, 80), canReach(front, far.address, 81)], [true, false]);
    assert.equal(canReach(front, web.address, 80), false);
    const named: NetworkEntry = { ...fronts(far), named: { http: { [far.address]: 8080 } } } as NetworkEntry;
    await node.has([out({ from: [{ peers: "fronts" }], ports: [{ protocol: "tcp", port: "http" }] }), named], pods());
    assert.deepEqual([canReach(front, far.address, 80), canReach(front, far.address, 8080)], [false, true]);
  });

  test("let out is not let in: the other end's policies are asked, too", async () => {
    const out = policy({ egress: [{}], podSelector: { matchLabels: { app: "front" } } }, "shop/out");
    await node.has([out, ingress({ ports: [{ protocol: "tcp", port: 81 }] })], pods());
    assert.deepEqual(reachable(web.address).front, [81]);
  });

  test("through an address of a service the policy sees the pods behind it", async () => {
    const nat = "add table ip nat0\nadd chain ip nat0 pre { type nat hook prerouting priority dstnat; }\n";
    const to = (address: string) =>
      `${nat}flush chain ip nat0 pre\nadd rule ip nat0 pre ip daddr 10.96.0.9 tcp dport 80 dnat to ${address}:80\n`;
    nft(here, to(web.address));
    await node.has([ingress({ from: [{ peers: "fronts" }] }), fronts(front)], pods());
    assert.equal(canReach(front, "10.96.0.9", 80), true);
    await node.hears([fronts()]);
    assert.equal(canReach(front, "10.96.0.9", 80), false);
    here.run("nft", ["delete", "table", "ip", "nat0"]);
  });

  test("connections that are there go on when a policy closes behind them", async () => {
    await node.has([], pods());
    // As on every host with Docker: the kernel keeps track of connections, because some rule asks for their state.
    nft(
      here,
      "add table ip track\nadd chain ip track seen { type filter hook forward priority 0; }\nadd rule ip track seen ct state new counter\n",
    );
    const talking = front.spawn("talk", talk("hold", `${web.address}:80`));
    const heard = () => readFileSync(join(space.dir, "talk.log"), "utf8").split(".").length - 1;
    await until(() => heard() > 0, "the connection talks");
    await node.has([ingress()], pods());
    assert.deepEqual(reachable(web.address).front, []);
    const so = heard();
    await until(() => heard() > so + 6, "the connection goes on");
    talking.kill();
  });

  test("somebody else's flush is made good by the next look", async () => {
    await node.has([ingress()], pods());
    here.run("nft", ["flush", "ruleset"]);
    assert.deepEqual(reachable(web.address).front, PORTS);
    await until(() => node.rules() !== "", "the rules are there again", 15_000);
    assert.deepEqual(reachable(web.address).front, []);
    nft(here, "flush map ip space pol-in\n");
    await until(() => /pol-in \{[^}]*goto/.test(node.rules()), "who comes in is asked again", 15_000);
    assert.deepEqual(reachable(web.address).front, []);
  });

  test("a host port of a closed pod is no way around: also where a program of the host passes on what comes to it", async () => {
    const [web1, ...others] = pods();
    assert.ok(web1);
    const proxied = [8099, 8053];
    here.spawn("proxy", talk("answer", ...proxied.map(String)));
    await until(() => proxied.every((port) => canReach(front, here.address, port)), "the program answers");
    const published = [
      { protocol: "tcp", hostPort: 8099, containerPort: 80 },
      { protocol: "tcp", hostPort: 8053, containerPort: 81, hostIP: here.address },
    ] as const;
    const seen = () =>
      [here.address, here.gateway].map((address) => proxied.filter((port) => canReach(front, address, port)));
    await node.has([ingress()], [{ ...web1, published }, ...others]);
    assert.deepEqual(seen(), [[], [8053]], "published at one address, the other one's port is another program's");
    assert.deepEqual([canReach(web, here.address, 8099), canReach(here, here.address, 8099)], [true, true]);
    assert.equal(node.part.report().state, "working");
    const [other] = others;
    assert.ok(other);
    const elsewhere = [{ protocol: "tcp", hostPort: 8099, containerPort: 80, hostIP: "127.0.0.9" }] as const;
    const mine = [{ ...published[0], hostIP: here.address }, published[1]];
    const both = [{ ...web1, published: mine }, { ...other, published: elsewhere }, ...others.slice(1)];
    await node.has([{ ...ingress(), podSelector: {} }], both);
    assert.ok(!canReach(front, here.address, 8099), "another's port of this number is at another address");
    const again = new PoliciesNode(here, { adoptionMs: 30_000 });
    await again.has([ingress()], [{ ...web1, published: mine }, ...others]);
    assert.ok(!canReach(front, here.address, 8099), "an agent that starts again finds it so");
    assert.equal(again.part.report().state, "working");
    await again.part.stop();
    await node.has([ingress({ from: [{ peers: "fronts" }] }), fronts(front)], [{ ...web1, published }, ...others]);
    assert.deepEqual(seen(), [proxied, proxied]);
    assert.match(node.rules(), /tcp . 8099 : goto pol-h-/);
    await node.goes("web");
    assert.deepEqual(seen(), [proxied, proxied]);
    assert.doesNotMatch(node.rules(), /8099/);
  });

  test("who asks how it is has it looked at then", async () => {
    const asked = new PoliciesNode(here, { clock: new ManualClock() });
    await asked.has([ingress()], pods());
    here.run("nft", ["flush", "ruleset"]);
    await asked.part.lookAgain();
    assert.deepEqual(reachable(web.address).front, []);
    await asked.part.stop();
  });

  test("a look that finds all of it leaves it as it is", async () => {
    const clock = new ManualClock();
    const looking = new PoliciesNode(here, { clock });
    for (const rules of [ingress(), policy({ egress: [] })]) {
      await looking.has([rules], pods());
      const before = looking.rules("-a");
      const { asked } = looking;
      await clock.advance(5_000);
      await looking.part.stop();
      assert.ok(looking.asked > asked, "it has looked");
      assert.equal(looking.rules("-a"), before, "the same rules, by their handles");
    }
  });

  test("a new agent replaces what an old one has left, and removes what is its own only", async () => {
    await node.has([ingress()], pods());
    nft(here, "add chain ip space pol-old\nadd chain ip space svc-other\n");
    await node.part.stop();
    node = new PoliciesNode(here);
    await node.has([ingress({ ports: [{ protocol: "tcp", port: 80 }] })], pods());
    assert.deepEqual(reachable(web.address).far, [80]);
    assert.doesNotMatch(node.rules(), /pol-old/);
    await node.part.remove();
    assert.match(node.rules(), /svc-other/);
    assert.doesNotMatch(node.rules(), /pol-/);
    assert.deepEqual(reachable(web.address).far, PORTS);
  });

  test("while a new agent has not found all pods that run, the rules of the others stay", async () => {
    await node.has([ingress()], pods());
    const clock = new ManualClock();
    const young = new PoliciesNode(here, { clock, adoptionMs: 30_000 });
    await young.has([ingress()], []);
    assert.deepEqual(reachable(web.address).front, [], "nobody is known yet");
    await young.has([ingress()], pods());
    await young.has([ingress()], []);
    assert.deepEqual(reachable(web.address).front, []);
    await clock.advance(30_000);
    await until(() => !/pol-/.test(young.rules()), "what did not come back is gone");
    await young.part.stop();
  });

  test("of a pod that a new agent knows, no rule stays that no policy says: not for itself, nor for who has its address next", async () => {
    await node.has([ingress()], pods());
    await node.part.stop();
    const young = new PoliciesNode(here, { clock: new ManualClock(), adoptionMs: 30_000 });
    const [web1, front1] = pods();
    assert.ok(web1 && front1);
    await young.has([ingress()], []);
    await young.has([], []);
    assert.deepEqual(reachable(web.address).front, [], "whose address it is, it does not know yet");
    await young.comes({ ...web1, name: "next", labels: { app: "next" } });
    assert.deepEqual(reachable(web.address).front, PORTS);
    await young.has([ingress()], [web1]);
    assert.deepEqual(reachable(web.address).front, []);
    await young.has([], [web1]);
    assert.deepEqual(reachable(web.address).front, PORTS);
    await young.has([ingress()], [web1]);
    await young.part.stop();
    const third = new PoliciesNode(here, { clock: new ManualClock(), adoptionMs: 30_000 });
    await third.has([policy({ ingress: [], podSelector: { matchLabels: { app: "front" } } })], [front1]);
    await third.goes("front");
    assert.deepEqual(reachable(web.address).front, [], "the entrance stays for those that are not known yet");
    await third.part.remove();
    node = new PoliciesNode(here);
  });

  test("what the disk remembers opens no pod that is closed: only the control plane's word does", async () => {
    await node.has([ingress()], pods());
    await node.part.stop();
    const young = new PoliciesNode(here, { clock: new ManualClock() });
    await young.remembers([], pods());
    assert.deepEqual(reachable(web.address).front, []);
    await young.has([], pods());
    assert.deepEqual(reachable(web.address).front, PORTS);
    node = new PoliciesNode(here);
  });

  test("what nft does not take is closed, said, and holds up nobody else's policy", async () => {
    const shop = (name: string, rules: readonly PolicyRule[]) =>
      policy({ ingress: rules, podSelector: { matchLabels: { app: name } } }, `shop/${name}`);
    const addresses = [far.address, "nonsense", "::1", "10.0.0.1, 10.0.0.2"];
    const nonsense = { ...fronts(far), addresses } as NetworkEntry;
    const answering = here.addPod(9);
    answering.spawn("answer-other", talk("answer", "80", "81"));
    await until(() => canReach(here, answering.address, 81), "the other pod answers");
    const other = { name: "other", place: answering, labels: { app: "other" }, ports: {} };
    const bad = shop("web", [{ ports: [{ protocol: "tcp", port: 80_000 }] }, { from: [{ peers: "fronts" }] }]);
    const good = shop("other", [{ ports: [{ protocol: "tcp", port: 81 }] }]);
    await node.has([bad, good, nonsense], [...pods(), other]);
    const seen = () => [reaches(front, answering.address), reaches(far, web.address)];
    assert.deepEqual(seen(), [[81], []]);
    assert.match(node.part.report().words ?? "", /nothing passes by it: NetworkPolicy shop\/web, in \(/);
    await node.hears([shop("web", [{ from: [{ peers: "fronts" }] }]), nonsense]);
    assert.deepEqual(seen(), [[81], PORTS]);
    assert.equal(node.part.report().words, undefined);
    await node.hears([bad]);
    assert.deepEqual(seen(), [[81], []], "also when it comes later");
    assert.equal(node.part.report().state, "failing");
  });

  test("many that nft does not take hold up nobody else's policy either", async () => {
    const ports = [{ ports: [{ protocol: "tcp", port: 80_000 }] }] as const;
    const bad = Array.from({ length: 60 }, (_, at) =>
      policy({ ingress: ports, podSelector: { matchLabels: { app: "front" } } }, `shop/bad-${at}`),
    );
    await node.has([...bad, ingress({ ports: [{ protocol: "tcp", port: 81 }] })], pods());
    assert.deepEqual(reaches(far, web.address), [81]);
    assert.match(node.part.report().words ?? "", /nothing passes by it: .* and 59 more/);
  });

  test("a host whose kernel hides bridged packets, and one without nft, say so", async () => {
    here.run("sysctl", ["-qw", "net.bridge.bridge-nf-call-iptables=0"]);
    await node.has([ingress()], pods());
    assert.match(node.part.report().words ?? "", /past NetworkPolicies.*br_netfilter/);
    here.run("sysctl", ["-qw", "net.bridge.bridge-nf-call-iptables=1"]);
    const bare = new PoliciesNode(here, { nft: "no-such-nft" });
    await bare.has([ingress()], pods());
    assert.equal(bare.part.report().state, "failing");
    assert.match(
      bare.part.report().words ?? "",
      /NOT enforced on this node: .*install nftables.*made here before stay in force/,
    );
    await bare.part.stop();
  });

  function reachable(address: string) {
    return { front: reaches(front, address), far: reaches(far, address), host: reaches(here, address) };
  }
});

function nft(host: NetHost, script: string): void {
  const { exitCode, output } = host.run("nft", ["-f", "-"], script);
  assert.equal(exitCode, 0, output);
}

function reaches(from: NetPlace, address: string): readonly number[] {
  return asks(
    from,
    PORTS.map((port) => `${address}:${port}`),
  ).map((target) => Number(target.split(":")[1]));
}

function canReach(from: NetPlace, address: string, port: number): boolean {
  return asks(from, [`${address}:${port}`]).length === 1;
}

function answersUdp(from: NetPlace, address: string): boolean {
  return asks(from, [`udp:${address}:5353`]).length === 1;
}
