/** `styr network trace` between two hosts that are network namespaces: each node answers from its own kernel, the store says who is where. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { StyrApiContext } from "../../../src/api/context.ts";
import { networkRoutes } from "../../../src/api/network.ts";
import { traceConnection } from "../../../src/api/network-trace.ts";
import type { Actor } from "../../../src/http/actor.ts";
import type { RequestContext } from "../../../src/http/route.ts";
import { ApiError } from "../../../src/model/errors.ts";
import { kernelKinds } from "../../../src/model/kinds.ts";
import type { NetworkEntry } from "../../../src/model/network.ts";
import type { NetworkReport, TraceReport } from "../../../src/model/network-questions.ts";
import { nodes } from "../../../src/model/node.ts";
import { pods } from "../../../src/model/pod.ts";
import { services } from "../../../src/model/service.ts";
import type { NodeAccess } from "../../../src/model/streams.ts";
import type { NetworkDesk } from "../../../src/network/questions/network-desk.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { Store } from "../../../src/store/store.ts";
import { type NetHost, type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";
import { asks, talk, until } from "./talking.ts";
import { about, CLUSTER_ADDRESS, nodeDraft, podDraft, TracedNode } from "./traced-node.ts";

const skip = process.getuid?.() === 0 ? false : "NOT RUN: needs root";
describe("a connection, traced:", { skip }, () => {
  let space: NetSpace;
  let hosts: Readonly<Record<string, NetHost>>;
  let web: NetPlace;
  let front: NetPlace;
  let store: Store;
  let desks: Map<string, TracedNode>;
  let context: StyrApiContext;
  /** What nodes were asked since a test began to look. */
  const asked: string[] = [];

  before(async () => {
    space = openNetSpace({ hosts: 2 });
    hosts = { a: space.host(1), b: space.host(2) };
    [front, web] = [space.host(1).addPod(5), space.host(2).addPod(7)];
    for (const [mine, other] of [[1, 2] as const, [2, 1] as const]) {
      const host = space.host(mine);
      host.run("ip", ["route", "add", space.host(other).podRange, "via", space.host(other).address]);
      host.run("sysctl", ["-qw", "net.bridge.bridge-nf-call-iptables=1"]);
    }
    web.spawn("answer", talk("answer", "80"));
    await until(() => asks(space.host(2), [`${web.address}:80`]).length === 1, "the pod answers");
    desks = new Map(Object.entries(hosts).map(([name, host]) => [name, new TracedNode(name, host)]));
    store = await filledStore();
    const nodeAccess = {
      network: (name: string, question: Parameters<NetworkDesk["answer"]>[0]) => {
        const node = desks.get(name);
        asked.push(question.ask);
        if (node === undefined) return Promise.reject(new ApiError("Unavailable", `node "${name}" is not connected`));
        return node.desk.answer(question);
      },
    } as NodeAccess;
    context = { store, clock: new SystemClock(), log: silentLog, sources: [], nodeAccess } as unknown as StyrApiContext;
  });
  after(async () => {
    for (const { part } of desks?.values() ?? []) await part.stop();
    space?.close();
    await store?.close();
  });

  async function filledStore(): Promise<Store> {
    const options = { clock: new SystemClock(), random: new SeededRandom("trace"), log: silentLog };
    const made = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...options });
    await made.update((tx) => {
      for (const [name, host] of Object.entries(hosts)) tx.create(nodes, nodeDraft(name, host) as never);
      tx.create(pods, podDraft("front", "a", front) as never);
      tx.create(pods, podDraft("web", "b", web) as never);
      const spec = { selector: { app: "web" }, clusterIP: CLUSTER_ADDRESS, ports: [{ port: 8080, targetPort: 80 }] };
      tx.create(services, { ...about("v1", "Service", "web"), spec, status: {} } as never);
    });
    return made;
  }

  const entries = (more: readonly NetworkEntry[] = []): readonly NetworkEntry[] => [
    {
      ...{ kind: "cluster", id: "cluster", podRange: "10.0.0.0/8", serviceRange: "10.43.0.0/16" },
      ...{ domain: "cluster.local", mode: "auto" },
    },
    ...Object.entries(hosts).map(
      ([id, { address, podRange }]): NetworkEntry => ({ kind: "node", id, address, podRange }),
    ),
    {
      ...{ kind: "service", id: "default/web", namespace: "default", name: "web", addresses: [CLUSTER_ADDRESS] },
      ports: [{ name: "", protocol: "tcp", port: 8080 }],
      ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    },
    {
      ...{ kind: "endpoints", id: "default/web-1", service: "default/web" },
      ports: [{ name: "", protocol: "tcp", port: 80 }],
      endpoints: [
        { address: web.address, state: "ready", node: "b", pod: "default/web" },
        { address: "10.9.9.9", state: "waiting", pod: "default/web-2" },
      ],
    },
    ...more,
  ];

  async function everybodyHears(more: readonly NetworkEntry[] = []): Promise<void> {
    for (const node of desks.values()) await node.hears(entries(more), { web, front }, uidOf);
  }

  const uidOf = (name: string) => store.get(pods, `default/${name}`)?.metadata.uid ?? "";

  const trace = (from: string, to: string, part?: ReadonlySet<string>) =>
    traceConnection(context, { from, to, protocol: "tcp" }, part);

  const marks = (report: TraceReport) =>
    [...report.hops, ...report.ways.flatMap(({ hops }) => hops)].map(
      ({ at, what, isOk }) => `${isOk === undefined ? "?" : isOk ? "✔" : "✘"} ${what} ${at}`,
    );

  const closed: NetworkEntry = {
    ...{ kind: "policy", id: "default/closed", namespace: "default", podSelector: { matchLabels: { app: "web" } } },
    ingress: [{ from: [{ peers: "fronts" }] }],
  };

  test("to a node whose pods have no network: that is said, and nobody is sent to look for a firewall", async () => {
    await everybodyHears();
    const message = "its pods get no network: 10.42.0.0/16 is in use on br-x";
    const condition = { type: "NetworkUnavailable", status: "True", reason: "PodNetworkMissing", message };
    const conditions = async (list: readonly object[]) =>
      void (await store.update((tx) => {
        const node = tx.get(nodes, "b");
        tx.update(nodes, { ...node, status: { ...node?.status, conditions: list } } as never);
      }));
    const route = [space.host(2).podRange, "via", space.host(2).address];
    space.host(1).run("ip", ["route", "del", ...route]);
    try {
      assert.equal(
        (await trace("front", `${web.address}:80`)).ways[0]?.hops[1]?.words,
        `no route leads to ${web.address}`,
      );
      await conditions([condition]);
      const hop = (await trace("front", `${web.address}:80`)).ways[0]?.hops[1];
      assert.equal(hop?.words, `no route leads to ${web.address}; pods of node b have no network: ${message}`);
      assert.equal(hop?.advice, "styr nodes");
    } finally {
      space.host(1).run("ip", ["route", "add", ...route]);
      await conditions([]);
    }
  });

  test("by the name of a Service: every hop to the pod behind it and back, each by the node that knows", async () => {
    await everybodyHears();
    const report = await trace("front", "web");
    assert.deepEqual(marks(report), [
      ...["✔ name a", "✔ service a", "✔ policy out a", "✔ route a"],
      ...["✔ pod the control plane", "✔ policy in b", "✔ listens b", "✔ way back b"],
    ]);
    assert.equal(report.summary, "open: default/front on a reaches Service default/web:8080");
    const words = report.hops.map((hop) => hop.words).join("\n");
    assert.match(words, /web\.default\.svc\.cluster\.local is 10\.43\.0\.9/);
    assert.match(words, new RegExp(`sends it to ${web.address}:80; not to default/web-2 \\(not ready\\)`));
  });

  test("to a pod on a network of the user's, of which nothing is published: nobody else gets there, in words", async () => {
    const theirs = podDraft("theirs", "b", web);
    const { podIP: _ip, podIPs: _ips, ...status } = theirs.status as Record<string, unknown>;
    const elsewhere = { ...theirs, status: { ...status, networkAddress: "172.20.0.5" } };
    await store.update((tx) => tx.create(pods, elsewhere as never));
    await assert.rejects(
      trace("front", "theirs"),
      /theirs is at 172\.20\.0\.5 of a Docker network of its own.*hostPort/,
    );
    await store.update((tx) => tx.remove(pods, "default/theirs"));
  });

  test("a policy that lets nothing in stops it at the other end, and is named", async () => {
    await everybodyHears([closed]);
    const report = await trace("front", `${web.address}:80`);
    assert.equal(report.isOpen, false);
    assert.match(report.summary, /^it stops at policy in on b: NetworkPolicy default\/closed selects default\/web/);
    assert.equal(asks(front, [`${web.address}:80`]).length, 0, "as packets find it");
  });

  test("through a node port of another host: by that host's rules, and judged by the address that comes out of the first", async () => {
    const lb: readonly NetworkEntry[] = [
      {
        ...{ kind: "service", id: "default/lb", namespace: "default", name: "lb", addresses: ["10.43.0.10"] },
        ports: [{ name: "", protocol: "tcp", port: 80, nodePort: 30_080 }],
        ...{ externalTraffic: "local", internalTraffic: "cluster" },
      },
      {
        ...{ kind: "endpoints", id: "default/lb-1", service: "default/lb" },
        ports: [{ name: "", protocol: "tcp", port: 80 }],
        endpoints: [{ address: web.address, state: "ready", node: "b", pod: "default/web" }],
      },
    ];
    const fronts: NetworkEntry = { kind: "peers", id: "f", group: "fronts", addresses: [front.address] };
    await everybodyHears(lb);
    const open = await trace("front", "b:30080");
    assert.deepEqual(marks(open), [
      ...["✔ policy out a", "✔ route a", "✔ service b", "✔ route b"],
      ...["✔ pod the control plane", "✔ policy in b", "✔ listens b", "✔ way back b"],
    ]);
    await everybodyHears([...lb, closed, fronts]);
    const address = space.host(1).address.replaceAll(".", "\\.");
    const stopped = await trace("front", "b:30080");
    assert.match(stopped.summary, new RegExp(`^it stops at policy in on b: .* lets tcp 80 from ${address} pass`));
    assert.equal((await trace("front", `${web.address}:80`)).isOpen, true);
  });

  test("a unit is where its container is, with the status that its agent writes", async () => {
    const draft = podDraft("cache", "b", web);
    const hostIP = space.host(2).address;
    const children = [{ name: "cache", state: "running", address: web.address, ports: [{ containerPort: 80 }] }];
    const status = { ...draft.status, hostIP, podIP: hostIP, containerStatuses: [{ name: "c", children }] };
    const unit = { ...draft, spec: { ...draft.spec, hostNetwork: true }, status };
    await store.update((tx) => void tx.create(pods, unit as never));
    await everybodyHears();
    for (const to of ["pod/cache", "pod/cache:80"]) {
      const report = await trace("front", to);
      assert.equal(report.isOpen, true, report.summary);
      assert.deepEqual([report.ways[0]?.to.address, report.ways[0]?.to.port], [web.address, 80]);
    }
    await store.update((tx) => void tx.remove(pods, "default/cache"));
  });

  test("a pod that has ended sends nothing, whatever its address was", async () => {
    const draft = podDraft("job", "a", front);
    await store.update(
      (tx) => void tx.create(pods, { ...draft, status: { ...draft.status, phase: "Succeeded" } } as never),
    );
    await assert.rejects(
      trace("pod/job", "web:8080"),
      /^ApiError: no copy of .* runs on any node: nothing could be sent/,
    );
    await store.update((tx) => void tx.remove(pods, "default/job"));
  });

  test("a headless Service's port, by its name, is the number that it has in each pod", async () => {
    const spec = { clusterIP: "None", selector: { app: "web" }, ports: [{ name: "pg", port: 5432, targetPort: "x" }] };
    await store.update(
      (tx) => void tx.create(services, { ...about("v1", "Service", "db"), spec, status: {} } as never),
    );
    const db: readonly NetworkEntry[] = [
      {
        ...{ kind: "service", id: "default/db", namespace: "default", name: "db", addresses: [] },
        ports: [{ name: "pg", protocol: "tcp", port: 5432 }],
        ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
      },
      {
        ...{ kind: "endpoints", id: "default/db-1", service: "default/db" },
        ports: [{ name: "pg", protocol: "tcp", port: 80 }],
        endpoints: [{ address: web.address, state: "ready", node: "b", pod: "default/web" }],
      },
    ];
    await everybodyHears(db);
    const ports = async (to: string) => (await trace("front", to)).ways.map(({ to: { port } }) => port);
    assert.deepEqual([await ports("db:pg"), await ports("db:5432")], [[80], [5432]]);
  });

  test("from a host: by the address that its packets have, which a tunnel gives them", async () => {
    const host = space.host(1);
    const tunnel = `${host.podRange.split("/")[0]}`;
    host.run("ip", ["addr", "add", `${tunnel}/32`, "dev", "lo"]);
    host.run("ip", ["route", "replace", space.host(2).podRange, "via", space.host(2).address, "src", tunnel]);
    const block = (cidr: string): NetworkEntry => ({ ...closed, ingress: [{ from: [{ cidr, except: [] }] }] });
    await everybodyHears([block(`${host.address}/32`)]);
    assert.equal((await trace("a", `${web.address}:80`)).isOpen, true);
    assert.equal(asks(host, [`${web.address}:80`]).length, 1, "as packets find it");
    await everybodyHears([block("203.0.113.0/24")]);
    const from = tunnel.replaceAll(".", "\\.");
    assert.match((await trace("a", `${web.address}:80`)).summary, new RegExp(`lets tcp 80 from ${from} pass`));
    host.run("ip", ["route", "replace", space.host(2).podRange, "via", space.host(2).address]);
    host.run("ip", ["addr", "del", `${tunnel}/32`, "dev", "lo"]);
  });

  test("from a host, names are asked for as it does: a Service is found by its whole name, a name as it was typed or not", async () => {
    await everybodyHears();
    const service = await trace("a", "web");
    assert.equal(service.summary, "open: node a reaches Service default/web:8080");
    assert.match(service.hops[0]?.words ?? "", /^web\.default\.svc\.cluster\.local is .*found here by that name only/);
    const typed = await trace("a", "web.default:8080");
    assert.match(typed.summary, /^it stops at name on a: nothing is named web\.default here/);
    assert.match(typed.hops[0]?.advice ?? "", /^ask for web\.default\.svc\.cluster\.local/);
  });

  test("where the kernel has other rules than the node was told of, that is said", async () => {
    await everybodyHears([closed, { kind: "peers", id: "f", group: "fronts", addresses: [front.address] }]);
    assert.equal((await trace("front", `${web.address}:80`)).isOpen, true);
    space.host(2).run("nft", ["flush", "map", "ip", "space", "pol-in"]);
    const report = await trace("front", `${web.address}:80`);
    assert.match(report.summary, /but the kernel of this node does not have these rules/);
    await everybodyHears([closed, { kind: "peers", id: "f", group: "fronts", addresses: [front.address] }]);
    const set = /set (pol-g-\w+) /.exec(space.host(2).run("nft", ["list", "table", "ip", "space"]).output)?.[1] ?? "";
    space.host(2).run("nft", ["flush", "set", "ip", "space", set]);
    assert.match((await trace("front", `${web.address}:80`)).summary, /does not have \S+ among them/);
  });

  test("a port at which nothing listens, one that the Service has not, and a name that nothing has", async () => {
    await everybodyHears();
    assert.match(
      (await trace("front", `${web.address}:81`)).summary,
      /^it stops at listens on b: .*nothing listens there/,
    );
    assert.match((await trace("front", "web:81")).summary, /has no port 81\/tcp: it has 8080\/tcp/);
    assert.match(
      (await trace("front", "nosuch.default:80")).summary,
      /^it stops at name on a: nothing is named nosuch\.default/,
    );
    await assert.rejects(trace("nosuch", "web"), { reason: "NotFound" });
  });

  test("a port of a Service by its name, what is no TO, and what nobody can see", async () => {
    await everybodyHears();
    await store.update((tx) => {
      const spec = {
        selector: {},
        clusterIP: "10.43.0.10",
        ports: [
          { name: "http", port: 80 },
          { name: "x", port: 81 },
        ],
      };
      tx.create(services, { ...about("v1", "Service", "two"), spec, status: {} } as never);
    });
    assert.equal((await trace("front", "two:http")).to, "Service default/two:80");
    await assert.rejects(trace("front", "two:https"), { message: /has no port "https": it has http \(80\), x \(81\)/ });
    for (const to of [
      "http://web/",
      "::1",
      "nosuch:abc",
      "_http._tcp.web.default.svc.cluster.local",
      "a b",
      `${web.address}:www`,
    ])
      await assert.rejects(
        trace("front", to),
        { reason: "BadRequest", message: /TO is a workload, one copy of it/ },
        to,
      );
    const udp = await traceConnection(context, { from: "front", to: `${web.address}:80`, protocol: "udp" }, undefined);
    assert.match(udp.summary, /^as far as can be seen, .* reaches .*udp 80 cannot be seen from outside/);
  });

  test("a unit is where its container is, not at its host; and one in a container asks from there", async () => {
    await everybodyHears();
    const children = [{ id: "1", name: "redis", image: "redis", state: "running", address: web.address }].map(
      (child) => ({ ...child, ports: [{ containerPort: 80, hostPort: 1, protocol: "tcp" }] }),
    );
    const draft = podDraft("redis", "b", web, "fleet");
    const { podIP: _none, ...status } = { ...draft.status, containerStatuses: [{ name: "unit", state: {}, children }] };
    await store.update((tx) => void tx.create(pods, { ...draft, status } as never));
    const report = await trace("front", "redis");
    assert.deepEqual(
      report.ways.map(({ to }) => `${to.address}:${to.port}`),
      [`${web.address}:80`],
    );
    assert.equal(report.isOpen, true);
    assert.match(
      (await trace("redis", `${front.address}:80`)).ways[0]?.hops.at(-1)?.words ?? "",
      new RegExp(web.address),
    );
  });

  test("a rule of a host's own firewall that stops what it passes on is named, at the end where it is", async () => {
    await everybodyHears();
    for (const [host, at, device] of [
      [space.host(2), "b", "-i"],
      [space.host(1), "a", "-o"],
    ] as const) {
      host.run("iptables", ["-I", "FORWARD", device, "eth0", "-j", "DROP"]);
      assert.equal(asks(front, [`${web.address}:80`]).length, 0, "as packets find it");
      const { isOpen, summary } = await trace("front", `${web.address}:80`);
      assert.equal(isOpen, false);
      assert.equal(
        summary,
        `it stops at firewall on ${at}: iptables' rule "-A FORWARD ${device} eth0 -j DROP" of this host stops it`,
      );
      host.run("iptables", ["-D", "FORWARD", device, "eth0", "-j", "DROP"]);
    }
    assert.equal((await trace("front", `${web.address}:80`)).isOpen, true);
  });

  test("a route that is not there stops it where it leaves", async () => {
    await everybodyHears();
    space.host(1).run("ip", ["route", "del", space.host(2).podRange]);
    const report = await trace("front", `${web.address}:80`);
    assert.match(report.summary, /^it stops at route on a: no route leads to /);
    space.host(1).run("ip", ["route", "add", space.host(2).podRange, "via", space.host(2).address]);
  });

  test("a node that does not answer is named, and the other's hops are there", async () => {
    await everybodyHears();
    const silent = desks.get("b");
    desks.delete("b");
    const report = await trace("front", "web");
    assert.match(report.summary, /^it stops at node on b: node b cannot be asked: node "b" is not connected/);
    assert.equal(marks(report)[0], "✔ name a");
    if (silent) desks.set("b", silent);
  });

  test("status: every node, whether it answers or not; parts' words only for who may see the whole cluster", async () => {
    await everybodyHears([closed]);
    const silent = desks.get("b");
    desks.delete("b");
    const whole = await status({ name: "v", roles: ["viewer"] });
    assert.deepEqual(
      whole.nodes.map(({ node, trouble }) => [node, trouble]),
      [
        ["a", undefined],
        ["b", 'node "b" is not connected'],
      ],
    );
    assert.deepEqual(whole.nodes[0]?.answer?.parts, [{ name: "services", state: "failing", words: "shop/a wants it" }]);
    const partial = await status({ name: "p", roles: [], rolesIn: { default: ["viewer"] } });
    assert.doesNotMatch(JSON.stringify(partial), /shop/);
    if (silent) desks.set("b", silent);
  });

  async function status(actor: Actor): Promise<NetworkReport> {
    const [route] = networkRoutes(context);
    const url = new URL("https://here/styr/v1/network");
    const request = { actor, url, params: {}, signal: new AbortController().signal } as unknown as RequestContext;
    const response = await route?.handle(new Request(url), request);
    return (await response?.json()) as NetworkReport;
  }

  test("from a node, only for those who may see the whole cluster; what lies in others' namespaces has no words", async () => {
    await everybodyHears([closed]);
    assert.equal((await trace("a", "node/b")).from, "node a");
    for (const nowhere of ["127.0.0.1:22", "169.254.169.254:80"])
      await assert.rejects(trace("front", nowhere), { reason: "BadRequest" });
    await assert.rejects(trace("a", "web", new Set(["default"])), { reason: "Forbidden" });
    await assert.rejects(trace("front", "web", new Set(["else"])), { reason: "NotFound" });
    await store.update((tx) => void tx.create(pods, podDraft("lone", "a", front, "else") as never));
    asked.splice(0);
    const report = await trace("lone", `${web.address}:80`, new Set(["else"]));
    const said = JSON.stringify(report);
    assert.doesNotMatch(said, /default\/(closed|web)/);
    assert.match(said, /nothing that you may see/);
    assert.match(JSON.stringify(await trace("lone", "192.0.2.7:80", new Set(["else"]))), /nothing that you may see/);
    assert.deepEqual([...new Set(asked)], ["leave"], "no host knocks for somebody who may not see what is there");
    await trace("lone", `${web.address}:80`);
    assert.ok(asked.includes("arrive"));
  });

  test("an address that is none is refused before any program is given it", async () => {
    const [from, to] = [
      { node: "a", address: "10.0.0.1; flush ruleset" },
      { address: web.address, protocol: "tcp" as const },
    ];
    const desk = desks.get("a")?.desk;
    assert.ok(desk);
    const loopback = { address: "127.0.0.1", port: 1, protocol: "tcp" as const };
    assert.match(JSON.stringify(await desk.answer({ ask: "arrive", from: { node: "a" }, to: loopback })), /not tried/);
    await assert.rejects(desk.answer({ ask: "arrive", from, to }), { reason: "BadRequest" });
    await assert.rejects(desk.answer({ ask: "leave", from: { node: "a" }, to: { ...to, name: "a b" } }), {
      reason: "BadRequest",
    });
  });
});
