import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { NetworkEntry, PolicyEntry } from "../../model/network.ts";
import { type LocalPod, NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { wholeSubnet } from "./ip-block.ts";
import { PolicyPlan } from "./policy-plan.ts";
import { groupSet, podChain, policyChain } from "./policy-rules.ts";
import { changeScript } from "./policy-script.ts";
import type { Thing, Things } from "./thing.ts";

const local = (name: string, address: string, labels: LocalPod["labels"] = {}): LocalPod => ({
  ...{ uid: `uid-${name}`, namespace: "shop", name, address, labels, ports: { web: 8080 } },
});

const policy = (part: Partial<PolicyEntry>): PolicyEntry => ({
  ...{ kind: "policy", id: "shop/p", namespace: "shop", podSelector: {} },
  ...part,
});

/** A node with these pods and entries, and what it is to have. */
function planOf(pods: readonly LocalPod[], entries: readonly NetworkEntry[]) {
  const [state, touched, plan] = [new NetworkState("n1"), new Touched(), new PolicyPlan()];
  for (const pod of pods) state.localPods.set(pod.uid, pod);
  state.hear({ type: "all", revision: 1, entries }, touched);
  plan.update(state, touched);
  return { state, plan };
}

function rulesIn(plan: PolicyPlan, name: string): readonly string[] {
  const thing = plan.get(name);
  assert.ok(thing?.kind === "chain", `there is no chain ${name}`);
  return thing.rules;
}

describe("NetworkPolicies as rules", () => {
  const incoming = (rules: PolicyEntry["ingress"]) => {
    const { plan } = planOf([local("a", "10.42.0.5")], [policy({ ingress: rules ?? [] })]);
    return rulesIn(plan, policyChain("in", "shop/p"));
  };

  test("where no policy selects a pod of this node, the kernel has nothing", () => {
    assert.equal(planOf([local("a", "10.42.0.5")], []).plan.things.size, 0);
    const elsewhere = policy({ namespace: "else", id: "else/p", ingress: [] });
    assert.equal(planOf([local("a", "10.42.0.5")], [elsewhere]).plan.things.size, 0);
  });

  test("a pod that is selected is closed in that direction only, but for itself", () => {
    const { plan } = planOf([local("a", "10.42.0.5")], [policy({ ingress: [] })]);
    assert.deepEqual(rulesIn(plan, podChain("in", "uid-a")), [
      "ip saddr 10.42.0.5 accept",
      `jump ${policyChain("in", "shop/p")} comment "shop/p"`,
      "counter drop",
    ]);
    assert.equal(plan.get(podChain("out", "uid-a")), undefined);
    assert.ok(plan.get("pol-in 10.42.0.5"));
    assert.equal(plan.get("pol-out 10.42.0.5"), undefined);
  });

  const cases: readonly (readonly [why: string, rules: PolicyEntry["ingress"], lines: readonly string[]])[] = [
    ["everybody", [{}], ["accept"]],
    ["nobody", [{ from: [] }], []],
    ["a group", [{ from: [{ peers: "g" }] }], [`ip saddr @${groupSet("g")} accept`]],
    [
      "a range but for parts of it",
      [{ from: [{ cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.2.0.0/16"] }] }],
      ["ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.2.0.0/16 accept"],
    ],
    [
      "a range but for many parts of it, of which some lie in others",
      [
        {
          from: [
            {
              cidr: "10.0.0.0/8",
              except: [
                "10.1.0.0/16",
                "10.1.9.0/24",
                "10.9.9.9/32",
                ...[3, 4, 5, 6, 7, 8].map((n) => `10.${2 * n}.0.0/16`),
              ],
            },
          ],
        },
      ],
      [
        "ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0-10.1.255.255, 10.6.0.0-10.6.255.255, 10.8.0.0-10.8.255.255, 10.9.9.9, 10.10.0.0-10.10.255.255, 10.12.0.0-10.12.255.255, 10.14.0.0-10.14.255.255, 10.16.0.0-10.16.255.255 } accept",
      ],
    ],
    ["every address", [{ from: [{ cidr: "0.0.0.0/0", except: [] }] }], ["accept"]],
    ["a range without anything", [{ from: [{ cidr: "0.0.0.0/0", except: ["0.0.0.0/0"] }] }], []],
    ["a range of IPv6 is nobody of ours", [{ from: [{ cidr: "fd00::/8", except: [] }] }], []],
    [
      "ports, one range for those that overlap",
      [{ ports: [{ protocol: "tcp", port: 80 }, { protocol: "tcp", port: 79, endPort: 90 }, { protocol: "udp" }] }],
      ["tcp dport { 79-90 } accept", "meta l4proto udp accept"],
    ],
  ];
  for (const [why, rules, lines] of cases) test(`lets in ${why}`, () => assert.deepEqual(incoming(rules), lines));

  test("a named port is looked up with the address of the pod that listens", () => {
    const { plan } = planOf(
      [local("a", "10.42.0.5")],
      [policy({ ingress: [{ ports: [{ protocol: "tcp", port: "web" }] }] })],
    );
    const [rule = ""] = rulesIn(plan, policyChain("in", "shop/p"));
    const [, set = ""] = /^ip daddr \. tcp dport @(\S+) accept$/.exec(rule) ?? [];
    const found = plan.get(set);
    assert.deepEqual(found?.kind === "set" ? found.elements : found, ["10.42.0.5 . 8080"]);
  });

  test("subnets are whole, whatever bits stand behind their prefix", () => {
    assert.equal(wholeSubnet("10.1.2.3/8"), "10.0.0.0/8");
    assert.equal(wholeSubnet("10.1.2.3/32"), "10.1.2.3/32");
    for (const bad of ["10.1.2.3", "10.1.2.3/33", "::/0", "10.1.2/8", ""]) assert.equal(wholeSubnet(bad), undefined);
  });
});

describe("changes of NetworkPolicies", () => {
  test("an address that another pod has already stays that one's when the first goes", () => {
    const [first, next] = [local("a", "10.42.0.5"), local("b", "10.42.0.5")];
    const { state, plan } = planOf([first], [policy({ ingress: [] })]);
    const touch = (uid: string) => {
      const touched = new Touched();
      touched.localPods.add(uid);
      plan.update(state, touched);
    };
    state.localPods.set(next.uid, next);
    touch(next.uid);
    state.localPods.delete(first.uid);
    touch(first.uid);
    const element = plan.get("pol-in 10.42.0.5");
    assert.equal(element?.kind === "element" && element.chain, podChain("in", next.uid));
  });

  test("a host port is its pod's at its own address of the host, and goes with that pod alone", () => {
    const at = (name: string, address: string, hostIP?: string): LocalPod => {
      const port = { protocol: "tcp", hostPort: 8099, containerPort: 80 } as const;
      return { ...local(name, address), published: [hostIP === undefined ? port : { ...port, hostIP }] };
    };
    const pods = [at("a", "10.42.0.5", "192.0.2.1"), at("b", "10.42.0.6", "127.0.0.9"), at("c", "10.42.0.7")];
    const { state, plan } = planOf(pods, [policy({ ingress: [] })]);
    const led = () =>
      [...plan.things].flatMap(([name, thing]) => (name.includes("8099") && thing.kind === "element" ? name : []));
    const [places, anywhere] = [["127.0.0.9", "192.0.2.1"], "pol-ports tcp . 8099"];
    assert.deepEqual(led().sort(), [...places.map((one) => `pol-places tcp . ${one} . 8099`), anywhere]);
    const touched = new Touched();
    state.localPods.delete("uid-b");
    touched.localPods.add("uid-b");
    plan.update(state, touched);
    assert.deepEqual(led().sort(), ["pol-places tcp . 192.0.2.1 . 8099", anywhere]);
  });

  test("what two have for a moment is the first one's again when the second goes", () => {
    const [first, next] = [local("a", "10.42.0.5"), local("b", "10.42.0.5")];
    const { state, plan } = planOf([first], [policy({ ingress: [] })]);
    const touch = () => {
      const touched = new Touched();
      touched.localPods.add(next.uid);
      return plan.update(state, touched);
    };
    state.localPods.set(next.uid, next);
    touch();
    state.localPods.delete(next.uid);
    assert.ok(touch().has("pol-in 10.42.0.5"));
    const element = plan.get("pol-in 10.42.0.5");
    assert.equal(element?.kind === "element" && element.chain, podChain("in", first.uid));
  });

  test("words that are no address or no port never become rules, whoever reported them", () => {
    const addresses = ["10.42.1.7", "evil.example", "::1", "10.0.0.1, 10.0.0.2", "0.0.0.0/0"];
    const named = { web: { "10.42.1.7": 80, "10.42.1.8": 70_000, nonsense: 80 } };
    const peers: NetworkEntry = { kind: "peers", id: "g on n2", group: "g", addresses, named };
    const egress = [{ from: [{ peers: "g" }], ports: [{ protocol: "tcp" as const, port: "web" }] }];
    const { plan } = planOf([local("a", "10.42.0.5"), local("b", "nonsense")], [policy({ egress }), peers]);
    const sets = [...plan.things.values()].flatMap((thing) => (thing.kind === "set" ? thing.elements : []));
    assert.deepEqual(sets.sort(), ["10.42.1.7", "10.42.1.7 . 80"]);
    assert.deepEqual(
      [...plan.things.keys()].filter((name) => name.startsWith("pol-out ")),
      ["pol-out 10.42.0.5"],
    );
  });

  test("a peer that comes is one element more, in a transaction of one line", () => {
    const peers = (addresses: readonly string[]): NetworkEntry => ({
      ...{ kind: "peers", id: "g on n2", group: "g", addresses },
    });
    const rules = policy({ ingress: [{ from: [{ peers: "g" }] }] });
    const { state, plan } = planOf([local("a", "10.42.0.5")], [rules, peers(["10.42.1.5"])]);
    const [before, touched] = [plan.things, new Touched()];
    state.hear({ type: "changed", revision: 2, entries: [peers(["10.42.1.5", "10.42.1.6"])], removed: [] }, touched);
    const changed = plan.update(state, touched);
    const script = changeScript("ip t", before, plan.things, changed);
    assert.equal(script, `add element ip t ${groupSet("g")} { 10.42.1.6 }`);
  });

  test("pods with the same policies share the list of them: one more is a line for it, and one for each pod", () => {
    const policies = (count: number) =>
      Array.from({ length: count }, (_, n) => policy({ id: `shop/p${n}`, ingress: [] }));
    const pods = Array.from({ length: 20 }, (_, n) => local(`a${n}`, `10.42.0.${n + 5}`));
    const { state, plan } = planOf(pods, policies(50));
    const lines = () => [...plan.things.values()].flatMap((thing) => (thing.kind === "chain" ? thing.rules : []));
    const jumps = () => lines().filter((line) => line.startsWith(`jump ${policyChain("in", "shop/p7")}`)).length;
    assert.equal(jumps(), 1);
    const [before, touched] = [plan.things, new Touched()];
    state.hear({ type: "changed", revision: 2, entries: policies(51).slice(50), removed: [] }, touched);
    const changed = plan.update(state, touched);
    const script = changeScript("ip t", before, plan.things, changed);
    assert.ok(script.split("\n").length < 51 + 20 * 4 + 10, script);
    assert.equal(jumps(), 1, "the list before is gone");
  });

  test("groups that mean the same pods have one list, and are told apart when they do not", () => {
    const on = (group: string, addresses: readonly string[]): NetworkEntry => ({
      ...{ kind: "peers", id: `${group} on n2`, group, addresses },
    });
    const from = ["a", "b", "c"].map((peers) => ({ peers }));
    const [five, six] = ["10.42.1.5", "10.42.1.6"];
    const entries = [policy({ ingress: [{ from }] }), on("a", [five]), on("b", [five]), on("c", [six])];
    const { state, plan } = planOf([local("a", "10.42.0.5")], entries);
    const listOf = (group: string) => {
      const thing = plan.get(groupSet(group));
      assert.ok(thing?.kind === "set");
      return thing.elements;
    };
    assert.equal(listOf("a"), listOf("b"), "the same one: what is different in it is looked at once");
    assert.deepEqual([listOf("a"), listOf("c")], [[five], [six]]);
    const [before, touched] = [plan.things, new Touched()];
    const after = [on("a", [five, six]), on("b", [five, six]), on("c", [five])];
    state.hear({ type: "changed", revision: 2, entries: after, removed: [] }, touched);
    const changed = plan.update(state, touched);
    const lines = changeScript("ip t", before, plan.things, changed).split("\n");
    const came = ["a", "b"].map((group) => `add element ip t ${groupSet(group)} { ${six} }`);
    const turned = [`add element ip t ${groupSet("c")} { ${five} }`, `delete element ip t ${groupSet("c")} { ${six} }`];
    assert.deepEqual(lines.sort(), [...came, ...turned].sort());
  });

  test("a node that comes is a few elements more, however many policies say a range that it is in", () => {
    const host = (n: number): NetworkEntry => {
      const [high, low] = [Math.floor(n / 250), n % 250];
      return {
        kind: "node",
        id: `n${n}`,
        address: `192.168.${high}.${low + 1}`,
        podRange: `10.${50 + high}.${low}.0/24`,
      };
    };
    const from = [{ cidr: "192.168.0.0/16", except: [] }];
    const policies = Array.from({ length: 20 }, (_, n) => policy({ id: `shop/p${n}`, ingress: [{ from }] }));
    const nodes = Array.from({ length: 500 }, (_, n) => host(n));
    const { state, plan } = planOf([local("a", "10.42.0.5")], [...policies, ...nodes]);
    const scriptOf = (entries: readonly NetworkEntry[], removed: readonly { kind: "node"; id: string }[] = []) => {
      const [before, touched] = [plan.things, new Touched()];
      state.hear({ type: "changed", revision: 2, entries, removed }, touched);
      const changed = plan.update(state, touched);
      return changeScript("ip t", before, plan.things, changed);
    };
    assert.match(scriptOf([host(500)]), /^add element ip t pol-b-\w+ \{ 10\.52\.0\.0, 10\.52\.0\.1 \}$/);
    assert.match(
      scriptOf([], [{ kind: "node", id: "n3" }]),
      /^delete element ip t pol-b-\w+ \{ 10\.50\.3\.0, 10\.50\.3\.1 \}$/,
    );
    assert.equal(scriptOf([{ kind: "node", id: "n501", address: "203.0.113.1", podRange: "10.60.0.0/24" }]), "");
  });

  test("after any history the plan is that of a fresh start, and the scripts between lead there", () => {
    const labels = fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("a", "b"), { maxKeys: 2 });
    const group = fc.constantFrom("g1", "g2");
    const peer = fc.oneof(
      group.map((peers) => ({ peers })),
      fc.constant({ cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] }),
    );
    const ports = fc.array(
      fc.constantFrom<{ protocol: "tcp" | "udp"; port: string | number }>(
        { protocol: "tcp", port: "web" },
        { protocol: "udp", port: 53 },
      ),
      { maxLength: 2 },
    );
    const rules = fc.array(fc.record({ from: fc.array(peer, { maxLength: 2 }), ports }, { requiredKeys: [] }), {
      maxLength: 2,
    });
    const namespace = fc.constantFrom("x", "y");
    const id = fc.constantFrom("p", "q", "r", "s");
    const put = fc.oneof(
      fc
        .record(
          { namespace, id, labels, ingress: rules, egress: rules },
          { requiredKeys: ["namespace", "id", "labels"] },
        )
        .map(
          ({ namespace: at, id: name, labels: matchLabels, ...rest }): NetworkEntry => ({
            ...{ kind: "policy", id: `${at}/${name}`, namespace: at, podSelector: { matchLabels } },
            ...rest,
          }),
        ),
      fc.record({ group, node: fc.constantFrom("n1", "n2"), addresses: fc.subarray(["10.1.0.1", "10.1.0.2"]) }).map(
        ({ group: of, node, addresses }): NetworkEntry => ({
          ...{ kind: "peers", id: `${of} on ${node}`, group: of, addresses, named: { web: { "10.1.0.1": 80 } } },
        }),
      ),
      fc
        .record({
          id: fc.constantFrom("n2", "n3"),
          host: fc.constantFrom("10.0.0.9", "10.1.0.9", "192.0.2.9"),
          last: fc.nat(1),
        })
        .map(({ id: name, host, last }): NetworkEntry => {
          return { kind: "node", id: name, address: host, podRange: `10.${last}.7.0/24` };
        }),
    );
    const gone = fc.constantFrom(
      ...["x/p", "x/q", "y/p", "y/q"].map((at) => ({ kind: "policy" as const, id: at })),
      ...["g1 on n1", "g2 on n2"].map((at) => ({ kind: "peers" as const, id: at })),
      ...["n2", "n3"].map((at) => ({ kind: "node" as const, id: at })),
    );
    const pod = fc.record({ namespace, name: fc.constantFrom("1", "2"), labels, last: fc.integer({ min: 2, max: 4 }) });
    const step = fc.oneof(
      fc.record({ entries: fc.array(put, { maxLength: 3 }), removed: fc.array(gone, { maxLength: 1 }) }),
      fc.record({ comes: pod }),
      fc.record({ goes: pod }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const [state, plan] = [new NetworkState("n1"), new PolicyPlan()];
        let kernel: Things = new Map();
        for (const each of steps) {
          const touched = new Touched();
          if ("entries" in each) state.hear({ type: "changed", revision: 1, ...each }, touched);
          else if ("comes" in each) come(state, touched, each.comes);
          else {
            const uid = `${each.goes.namespace}-${each.goes.name}`;
            state.localPods.delete(uid);
            touched.localPods.add(uid);
          }
          const changed = plan.update(state, touched);
          for (const name of changed) kernel = withThing(kernel, name, plan.get(name));
          const [fresh, all] = [new PolicyPlan(), new Touched()];
          all.everything();
          fresh.update(state, all);
          assert.deepEqual(sorted(plan.things), sorted(fresh.things));
          assert.deepEqual(sorted(kernel), sorted(fresh.things), "what was said to have changed");
          assert.deepEqual(dangling(plan.things), []);
        }
      }),
      { numRuns: 300 },
    );
  });

  interface Comer {
    readonly namespace: string;
    readonly name: string;
    readonly labels: LocalPod["labels"];
    readonly last: number;
  }

  /** No two pods have one address at a time. */
  function come(state: NetworkState, touched: Touched, { namespace, name, labels, last }: Comer): void {
    const [uid, address] = [`${namespace}-${name}`, `10.1.0.${last}`];
    for (const other of state.localPods.values()) if (other.address === address && other.uid !== uid) return;
    state.localPods.set(uid, { uid, namespace, name, address, labels, ports: { web: 80 } });
    touched.localPods.add(uid);
  }

  function withThing(things: Things, name: string, thing: Thing | undefined): Things {
    const next = new Map(things);
    if (thing) next.set(name, thing);
    else next.delete(name);
    return next;
  }

  function sorted(things: Things) {
    return [...things].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Names that rules and elements lead to, and that are not there. */
  function dangling(things: Things): readonly string[] {
    const texts = [...things.values()].flatMap((thing) =>
      thing.kind === "chain" ? thing.rules : thing.kind === "element" ? [`goto ${thing.chain} @${thing.map}`] : [],
    );
    const names = texts.flatMap((text) =>
      [...text.matchAll(/(?:jump |goto |@)(pol-[\w-]+)/g)].map(([, name = ""]) => name),
    );
    return [...new Set(names)].filter((name) => !things.has(name));
  }
});
