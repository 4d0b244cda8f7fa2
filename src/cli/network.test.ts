import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkNodeRow, NetworkPartRow, TraceReport } from "../model/network-questions.ts";
import type { PeerLink } from "../model/network-report.ts";
import { networkTroubles, renderNetwork } from "./render-network.ts";
import { renderTrace } from "./render-trace.ts";

const screen = { colors: false, columns: undefined, asTyped: (text: string) => text };
const WORKING: readonly NetworkPartRow[] = ["pod network", "services", "policies", "names"].map((name) => ({
  ...{ name, state: "working" },
}));

function row(node: string, peers: readonly PeerLink[], parts = WORKING): NetworkNodeRow {
  const podRange = `10.42.${node.charCodeAt(0) - 97}.0/24`;
  return {
    node,
    address: `192.0.2.${node.charCodeAt(0)}`,
    answer: { podRange, revision: 7, appliedRevision: 7, parts, peers },
  };
}

const to = (node: string, more: Partial<PeerLink> = {}): PeerLink => ({
  ...{ node, mode: "routes", mtu: 1500, state: "reachable", rttMs: 0.214 },
  ...more,
});

describe("styr network status", () => {
  test("has a line per node, and a matrix of mode, MTU and round-trip time", () => {
    const text = renderNetwork(
      { nodes: [row("a", [to("b", { mode: "vxlan", mtu: 1450 })]), row("b", [to("a")])] },
      screen,
    );
    assert.match(text, /^a +192\.0\.2\.97 +10\.42\.0\.0\/24 +4 working +in force$/m);
    assert.match(text, /^a +- +vxlan 1450 0\.21 ms$/m);
    assert.match(text, /^b +routes 1500 0\.21 ms +-$/m);
    assert.match(text, /^all of it works$/m);
  });

  test("a link that loses packets is no healthy one, also when the last was answered", () => {
    const text = renderNetwork({ nodes: [row("a", [to("b", { loss: { lost: 12, of: 50 } })]), row("b", [])] }, screen);
    assert.match(text, /^a +- +routes 1500 0\.21 ms, 24% lost$/m);
  });

  test("names Services of which nodes are not told all, and is no picture of health then", () => {
    const words = "nodes are told of 300 of its 900 endpoints";
    const service = (at: number) => ({ namespace: "shop", service: `s${at}`, words });
    const leftOut = Array.from({ length: 12 }, (_, at) => service(at));
    const report = { nodes: [row("a", [])], leftOut };
    const text = renderNetwork(report, screen);
    assert.match(text, /^Service shop\/s9: nodes are told of 300 of its 900 endpoints$/m);
    assert.match(text, /^… and 2 more Services \(styr services\)$/m);
    assert.doesNotMatch(text, /all of it works/);
    assert.equal(networkTroubles(report).length, 12);
  });

  test("of very many nodes it has counts, and of the pairs that fail some of each node", () => {
    const brief = (node: string, peers: readonly PeerLink[], unreachable: number): NetworkNodeRow => {
      const plain = row(node, peers);
      const summary = { peers: 59, unreachable, modes: { routes: 50, vxlan: 9 }, slowestMs: 5.9, old: 0 };
      return plain.answer === undefined ? plain : { ...plain, answer: { ...plain.answer, summary } };
    };
    const lost = to("n30", { state: "unreachable" });
    const names = Array.from({ length: 59 }, (_, at) => `n${at}`);
    const nodes = [brief("a", [lost], 25), ...names.map((name) => brief(name, [], 0))];
    const text = renderNetwork({ nodes }, screen);
    assert.match(
      text,
      /^pairs of nodes: 3000 by routes, 540 by vxlan; 25 not reached; the slowest answers in 5\.9 ms$/m,
    );
    assert.match(text, /^ {2}✘ a → n30 \(routes\)$/m);
    assert.match(text, /^ {2}… and 24 more \(-o json has some of each node\)$/m);
    assert.match(text, /^next: /m);
  });

  test("names the nodes that do not answer, the parts that fail, and the pairs that do not reach each other", () => {
    const failing = [{ name: "policies", state: "failing" as const, words: "NetworkPolicies are NOT enforced" }];
    const report = {
      nodes: [
        row("a", [to("b", { state: "unreachable", words: "no answer" }), to("c", { state: "unknown" })], failing),
        row("b", [to("a")]),
        { node: "c", trouble: "node c did not answer within 5 s" },
      ],
    };
    assert.deepEqual(networkTroubles(report), [
      "a: policies: NetworkPolicies are NOT enforced",
      "a does not reach b: no answer",
      "c: node c did not answer within 5 s",
    ]);
    const text = renderNetwork(report, screen);
    assert.match(text, /^a .*policies failing.*policies: NetworkPolicies are NOT enforced$/m);
    assert.match(text, /^c .*not asked .*node c did not answer/m);
    assert.match(text, /^a +- +routes 1500 ✘ +routes 1500/m);
    assert.match(text, /^a ✘ b: no answer$/m);
    assert.match(text, /^next: styr network trace/m);
  });

  test("a pair between which large packets get lost is no pair that works, however well it answers", () => {
    const words = "packets of 1500 bytes get lost; those of 1400 come through";
    const tooLarge = { bytes: 1500, passing: 1400 };
    const report = { nodes: [row("a", [to("b", { tooLarge, words })]), row("b", [to("a")])] };
    assert.deepEqual(networkTroubles(report), [`a and b: ${words}`]);
    const text = renderNetwork(report, screen);
    assert.match(text, /^a +- +routes ✘ 1500 \(1400 pass\) 0\.21 ms$/m);
    assert.match(text, /^a → b: packets of 1500 bytes get lost; those of 1400 come through$/m);
    assert.match(text, /^next: styr network trace/m);
  });

  test("names the nodes that give pods no network, once", () => {
    const words = 'the Docker network "styrmann" is somebody else\'s: docker network rm styrmann';
    const failing = [{ name: "pod range", state: "failing" as const, words }];
    const nodes = [
      { ...row("a", []), noPodNetwork: words },
      { ...row("b", [], failing), noPodNetwork: words },
      { node: "c", trouble: "this node has no part in the network of the cluster", noPodNetwork: words },
    ];
    assert.deepEqual(networkTroubles({ nodes }), [
      `a: pods get no network: ${words}`,
      `b: pod range: ${words}`,
      `c: this node has no part in the network of the cluster; pods get no network: ${words}`,
    ]);
    assert.doesNotMatch(renderNetwork({ nodes }, screen), /all of it works/);
    assert.match(renderNetwork({ nodes }, screen), /^a +.* no network for pods, 4 working/m);
  });

  test("says what parts complain of that work, and then not that all of it does", () => {
    const parts: readonly NetworkPartRow[] = [
      { name: "services", state: "working", words: "marathon:/dup does not have tcp 10180", facts: { "made anew": 2 } },
      { name: "way in", state: "off", words: "this node is no way in" },
    ];
    const report = { nodes: [row("a", [to("b")], parts), row("b", [to("a", { words: "NOT ENCRYPTED" })], parts)] };
    assert.deepEqual(networkTroubles(report), []);
    const text = renderNetwork(report, screen);
    assert.match(text, /^a .*services: marathon:\/dup does not have tcp 10180$/m);
    assert.match(text, /^b → a: NOT ENCRYPTED$/m);
    assert.match(text, /^way in is off on a, b: this node is no way in$/m);
    assert.match(text, /^a: rules of services were taken away, and made anew, 2 times/m);
    assert.match(text, /^nothing fails, but for what is said above$/m);
    assert.doesNotMatch(text, /all of it works/);
    const links = { nodes: [row("a", [to("b", { words: "NOT ENCRYPTED" })]), row("b", [to("a")])] };
    assert.doesNotMatch(renderNetwork(links, screen), /all of it works/);
  });

  test("hosts whose own programs know no names of the cluster are named, which is no fault", () => {
    const names = [{ name: "names", state: "working" as const, facts: { "host asks": "192.0.2.53" } }];
    const text = renderNetwork({ nodes: [row("a", [to("b")], names), row("b", [to("a")], names)] }, screen);
    const words = "know no names of the cluster: /etc/resolv.conf there asks 192.0.2.53 (to change that: --host-names)";
    assert.ok(text.includes(`\nprocesses and units on a, b ${words}\n`), text);
    assert.match(text, /all of it works/);
  });

  test("of many nodes the pairs that are cut are listed, and the others counted", () => {
    const names = [..."abcdefghijklmnop"];
    const nodes = names.map((name) =>
      row(
        name,
        names.filter((other) => other !== name).map((other) => to(other)),
      ),
    );
    const cut = [...nodes.slice(1), row("a", [to("b", { state: "unreachable", words: "no answer" })])];
    const text = renderNetwork({ nodes: cut }, screen);
    assert.match(text, /^pairs of nodes: 226 by routes; 1 not reached\n {2}✘ a → b \(routes\): no answer$/m);
  });

  test("an answer that is not of this moment says how old it is", () => {
    const nodes = [
      row("a", [to("b", { ageMs: 40_000 }), to("c", { ageMs: 900 })]),
      row("b", [to("a", { ageMs: 9_900 }), to("c", { state: "unreachable", ageMs: 200_000 })]),
      row("c", []),
    ];
    const text = renderNetwork({ nodes }, screen);
    assert.match(text, /^a +- +routes 1500 0\.21 ms, 40s ago +routes 1500 0\.21 ms$/m);
    assert.match(text, /^b +routes 1500 0\.21 ms +- +routes 1500 ✘, 3m20s ago$/m);
    const names = [..."abcdefghijklmnop"];
    const old = names.map((name) => row(name, [to(name === "a" ? "b" : "a", { ageMs: name < "d" ? 65_000 : 0 })]));
    assert.match(
      renderNetwork({ nodes: old }, screen),
      /16 by routes; 0 not reached; of 3 the answer is older than 10 s, of one 65s/,
    );
  });

  test("a cluster without nodes", () => {
    assert.equal(renderNetwork({ nodes: [] }, screen), "no node has joined yet\n");
  });
});

describe("styr network trace", () => {
  const report: TraceReport = {
    from: "default/web-1 on a",
    to: "Service default/db:5432",
    hops: [{ at: "a", what: "name", isOk: true, words: "db.default.svc.cluster.local is 10.43.0.9" }],
    ways: [
      {
        to: { address: "10.42.1.7", port: 5432, node: "b", pod: "default/db-1" },
        hops: [{ at: "b", what: "policy in", isOk: false, words: "nothing lets it pass", advice: "add a rule" }],
      },
    ],
    isOpen: false,
    summary: "it stops at policy in on b: nothing lets it pass",
  };

  test("says each hop with who said it, where it stops, and what to do", () => {
    assert.equal(
      renderTrace(report, screen),
      `default/web-1 on a → Service default/db:5432
  ✔ name       db.default.svc.cluster.local is 10.43.0.9  [a]
  ✘ policy in  nothing lets it pass  [b]
               → add a rule

it stops at policy in on b: nothing lets it pass
`,
    );
  });

  test("where a Service chooses, each way is shown by itself", () => {
    const [way] = report.ways;
    assert.ok(way);
    const other = { to: { address: "192.0.2.9" }, hops: [{ at: "a", what: "listens", words: "no port was named" }] };
    const text = renderTrace({ ...report, ways: [way, other] }, screen);
    assert.match(text, /^ {2}to 10\.42\.1\.7:5432 \(default\/db-1 on b\)\n {4}✘ policy in/m);
    assert.match(text, /^ {2}to 192\.0\.2\.9\n {4}\? listens/m);
  });
});
