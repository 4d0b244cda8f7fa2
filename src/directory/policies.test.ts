import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { namespaces } from "../model/namespace.ts";
import type { NetworkEntry, NetworkEntryKind, PeersEntry, PolicyEntry } from "../model/network.ts";
import { type NetworkPolicy, networkPolicies } from "../model/network-policy.ts";
import { type Pod, pods } from "../model/pod.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";
import type { EntrySink } from "./entry-source.ts";
import { PeersSource } from "./peers.ts";
import { policiesSource } from "./policies.ts";
import { compilePolicy } from "./policy-entry.ts";

const KINDS = [networkPolicies, namespaces, pods];

class Entries implements EntrySink {
  readonly all = new Map<string, NetworkEntry>();
  puts = 0;
  put(entry: NetworkEntry): void {
    this.puts++;
    this.all.set(`${entry.kind} ${entry.id}`, entry);
  }
  remove(kind: NetworkEntryKind, id: string): void {
    this.all.delete(`${kind} ${id}`);
  }
  sorted() {
    return [...this.all].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
  addresses(): readonly string[] {
    const peers = [...this.all.values()].filter((entry): entry is PeersEntry => entry.kind === "peers");
    return peers.flatMap(({ addresses }) => addresses).sort();
  }
}

/** A store, and what the sources make of it as it changes. */
async function open() {
  const options = { clock: new ManualClock(), random: new SeededRandom("policies"), log: silentLog };
  const store = await Store.open({ kinds: KINDS, journal: new MemoryJournal(), ...options });
  const [sources, entries] = [[policiesSource(), new PeersSource()], new Entries()];
  for (const source of sources) source.begin(store, entries);
  const changing = store.watch({ kinds: KINDS, since: store.revision, signal: new AbortController().signal });
  const change = async (write: (tx: Tx) => void) => {
    const { revision } = store;
    await store.update(write);
    while (store.revision > revision) {
      const { value } = await changing.next();
      const changes = value ?? [];
      for (const source of sources) {
        const kinds = new Set(source.kinds.map(({ name }) => name));
        const mine = changes.filter(({ kind }) => kinds.has(kind.name));
        if (mine.length > 0) source.changed(mine, store, entries);
      }
      if ((changes.at(-1)?.revision ?? 0) >= store.revision) break;
    }
  };
  const anew = () => {
    const fresh = new Entries();
    for (const source of [policiesSource(), new PeersSource()]) source.begin(store, fresh);
    return fresh;
  };
  return { store, entries, change, anew };
}

interface PodLook {
  readonly labels?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly node?: string;
  readonly port?: { readonly name: string; readonly containerPort: number };
  readonly phase?: Pod["status"]["phase"];
  readonly hostNetwork?: boolean;
  readonly children?: readonly object[];
}

function putPod(tx: Tx, key: string, look: PodLook): void {
  const [namespace = "", name = ""] = key.split("/");
  const { labels = {}, address, node = "n1", port, phase = "Running", hostNetwork, children } = look;
  const spec: Pod["spec"] = {
    containers: [{ name: "c", image: "i", ...(port ? { ports: [port] } : {}) }],
    nodeName: node,
    ...(hostNetwork === undefined ? {} : { hostNetwork }),
  };
  const status = {
    ...{ phase, hostIP: "192.0.2.1" },
    ...(address ? { podIP: address } : {}),
    ...(children ? { containerStatuses: [{ name: "c", children }] } : {}),
  };
  put(tx, pods, key, { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels }, spec, status });
}

function putPolicy(tx: Tx, key: string, spec: NetworkPolicy["spec"]): void {
  const [namespace = "", name = ""] = key.split("/");
  const draft = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
  put(tx, networkPolicies, key, draft);
}

function putNamespace(tx: Tx, name: string, labels: Readonly<Record<string, string>>): void {
  const status = { phase: "Active" };
  put(tx, namespaces, name, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels }, spec: {}, status });
}

function put(
  tx: Tx,
  kind: unknown,
  key: string,
  draft: { readonly metadata: object; readonly [field: string]: unknown },
): void {
  const table = kind as typeof pods;
  const before = tx.get(table, key);
  if (!before) tx.create(table, draft as never);
  else tx.update(table, { ...before, ...draft, metadata: { ...before.metadata, ...draft.metadata } } as Pod);
}

const spec = (part: Partial<NetworkPolicy["spec"]>): NetworkPolicy["spec"] => ({ podSelector: {}, ...part });
const compiled = (part: Partial<NetworkPolicy["spec"]>): PolicyEntry => {
  const metadata = { name: "p", namespace: "shop" } as NetworkPolicy["metadata"];
  return compilePolicy({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: spec(part) }).entry;
};

describe("a NetworkPolicy as nodes are told it", () => {
  test("without types it is about what comes in, and about what goes out only when it has rules for that", () => {
    assert.deepEqual(compiled({}), { kind: "policy", id: "shop/p", namespace: "shop", podSelector: {}, ingress: [] });
    assert.deepEqual(compiled({ egress: [{}] }).egress, [{}]);
    assert.equal(compiled({ policyTypes: ["Egress"] }).ingress, undefined);
    assert.deepEqual(compiled({ policyTypes: ["Egress"] }).egress, [], "nothing goes out");
  });

  test("no peers means everybody and no ports every port; a peer that names nobody lets nobody in", () => {
    assert.deepEqual(compiled({ ingress: [{}] }).ingress, [{}]);
    assert.deepEqual(compiled({ ingress: [{ from: [], ports: [] }] }).ingress, [{}]);
    assert.deepEqual(compiled({ ingress: [{ from: [{}] }] }).ingress, [{ from: [] }]);
  });

  test("ranges of addresses keep their exceptions, ports their ends, and the protocol is TCP unless said", () => {
    const ipBlock = { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] };
    const rule = { from: [{ ipBlock }], ports: [{ port: 80, endPort: 90 }, { protocol: "UDP" as const }] };
    assert.deepEqual(compiled({ ingress: [rule] }).ingress, [
      { from: [ipBlock], ports: [{ protocol: "tcp", port: 80, endPort: 90 }, { protocol: "udp" }] },
    ]);
  });

  test("a named port that goes out is one of the pods that listen: of all pods where everybody is meant, of no range", () => {
    const web = [{ port: "web" }];
    assert.deepEqual(compiled({ egress: [{ ports: web }] }).egress, [
      { from: [{ peers: "pods [all] in namespaces [all]" }], ports: [{ protocol: "tcp", port: "web" }] },
    ]);
    assert.deepEqual(compiled({ egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports: web }] }).egress, []);
  });

  test("the same selectors in another order are the same group", () => {
    const group = (podSelector: NetworkPolicy["spec"]["podSelector"]) =>
      compiled({ ingress: [{ from: [{ podSelector }] }] }).ingress?.[0]?.from;
    const a = group({ matchLabels: { a: "1", b: "2" } });
    assert.deepEqual(a, group({ matchLabels: { b: "2", a: "1" } }));
    assert.notDeepEqual(a, group({ matchLabels: { a: "1, b=2" } }));
    assert.deepEqual(a, [{ peers: "pods [a=1, b=2] in shop" }]);
  });
});

describe("peers of NetworkPolicies", () => {
  const fromFront = spec({ ingress: [{ from: [{ podSelector: { matchLabels: { app: "front" } } }] }] });

  test("pods are told by group and node while they have an address of their own", async () => {
    const { entries, change } = await open();
    await change((tx) => {
      putPolicy(tx, "shop/p", fromFront);
      putPod(tx, "shop/a", { labels: { app: "front" }, address: "10.42.0.5" });
      putPod(tx, "shop/b", { labels: { app: "front" }, address: "10.42.1.5", node: "n2" });
      putPod(tx, "shop/other", { labels: { app: "back" }, address: "10.42.0.6" });
      putPod(tx, "else/a", { labels: { app: "front" }, address: "10.42.0.7" });
      putPod(tx, "shop/host", { labels: { app: "front" }, address: "192.0.2.1", hostNetwork: true });
      putPod(tx, "shop/young", { labels: { app: "front" } });
    });
    assert.deepEqual(entries.all.get("peers pods [app=front] in shop on n1"), {
      kind: "peers",
      id: "pods [app=front] in shop on n1",
      group: "pods [app=front] in shop",
      addresses: ["10.42.0.5"],
    });
    assert.deepEqual(entries.addresses(), ["10.42.0.5", "10.42.1.5"]);
    await change((tx) => tx.remove(pods, "shop/b"));
    await change((tx) => putPod(tx, "shop/a", { labels: { app: "front" }, address: "10.42.0.5", phase: "Succeeded" }));
    assert.deepEqual(entries.addresses(), []);
    assert.equal(entries.all.size, 1, "the policy");
  });

  test("of a unit, which has its host's address, the containers that it started on the pod network; nothing that is no address", async () => {
    const { entries, change } = await open();
    const child = { id: "c", name: "redis", image: "redis", state: "running" };
    const children = [
      { ...child, address: "10.42.0.240" },
      { ...child, address: "10.42.0.241", state: "exited" },
      { ...child, address: "10.42.0.0/16" },
      child,
    ];
    await change((tx) => {
      putPolicy(tx, "shop/p", fromFront);
      putPod(tx, "shop/unit", { labels: { app: "front" }, address: "192.0.2.1", hostNetwork: true, children });
      putPod(tx, "shop/mad", { labels: { app: "front" }, address: "10.42.0.9 accept" });
    });
    assert.deepEqual(entries.addresses(), ["10.42.0.240"]);
    await change((tx) =>
      putPod(tx, "shop/unit", { labels: { app: "front" }, address: "192.0.2.1", hostNetwork: true }),
    );
    assert.deepEqual(entries.addresses(), []);
  });

  test("what is no IPv4 address comes into the rules of no node", async () => {
    const { entries, change } = await open();
    const said = ["fd00::5", "10.42.0.256", "10.42.0.6, 0.0.0.0/0", "0.0.0.0/0", "10.42.0.6 } ; flush ruleset"];
    await change((tx) => {
      putPolicy(tx, "shop/p", fromFront);
      for (const [n, address] of said.entries()) putPod(tx, `shop/bad${n}`, { labels: { app: "front" }, address });
      putPod(tx, "shop/good", { labels: { app: "front" }, address: "10.42.0.5" });
    });
    assert.deepEqual(entries.addresses(), ["10.42.0.5"]);
    await change((tx) => putPod(tx, "shop/good", { labels: { app: "front" }, address: "10.42.0.5/8" }));
    assert.deepEqual(entries.addresses(), [], "also one that had an address before");
  });

  test("those of a policy that selects no pod are told to nobody: as soon as there is one, wherever it will be, and no longer than that", async () => {
    const { entries, change } = await open();
    const selecting = (app: string) => ({ ...fromFront, podSelector: { matchLabels: { app } } });
    await change((tx) => {
      putPolicy(tx, "shop/p", selecting("web"));
      putPod(tx, "shop/front", { labels: { app: "front" }, address: "10.42.0.5" });
      putPod(tx, "else/web", { labels: { app: "web" }, address: "10.42.0.7" });
    });
    assert.deepEqual(entries.addresses(), []);
    await change((tx) => putPod(tx, "shop/web", { labels: { app: "web" } }));
    assert.deepEqual(entries.addresses(), ["10.42.0.5"], "it has no address yet");
    await change((tx) => putPod(tx, "shop/web2", { labels: { app: "web" } }));
    await change((tx) => tx.remove(pods, "shop/web"));
    assert.deepEqual(entries.addresses(), ["10.42.0.5"], "of two, one is left");
    await change((tx) => putPod(tx, "shop/web2", { labels: { app: "web" }, phase: "Failed" }));
    assert.deepEqual(entries.addresses(), []);
    await change((tx) => putPod(tx, "shop/web3", { labels: { app: "other" } }));
    assert.deepEqual(entries.addresses(), []);
    await change((tx) => putPod(tx, "shop/web3", { labels: { app: "web" } }));
    assert.deepEqual(entries.addresses(), ["10.42.0.5"], "a pod has other labels");
    await change((tx) => putPolicy(tx, "shop/p", selecting("none")));
    assert.deepEqual(entries.addresses(), [], "the policy selects others");
  });

  test("a namespace's labels bring its pods in and put them out; its name is one of them, always", async () => {
    const { entries, change } = await open();
    const prod = { namespaceSelector: { matchLabels: { env: "prod" } } };
    const named = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "tools" } } };
    await change((tx) => {
      putPolicy(tx, "shop/p", spec({ ingress: [{ from: [prod] }, { from: [named] }] }));
      putPod(tx, "shop/selected", {});
      putPod(tx, "live/a", { address: "10.42.0.5" });
      putPod(tx, "tools/a", { address: "10.42.0.6" });
    });
    assert.deepEqual(entries.addresses(), ["10.42.0.6"], "of a namespace that has no object, too");
    await change((tx) => putNamespace(tx, "live", { env: "prod" }));
    assert.deepEqual(entries.addresses(), ["10.42.0.5", "10.42.0.6"]);
    await change((tx) => putNamespace(tx, "live", { env: "test" }));
    assert.deepEqual(entries.addresses(), ["10.42.0.6"]);
  });

  test("named ports are told for rules that go out and name one", async () => {
    const { entries, change } = await open();
    const port = { name: "web", containerPort: 8080 };
    await change((tx) => {
      putPod(tx, "shop/a", { address: "10.42.0.5", port });
      putPolicy(tx, "shop/in", spec({ ingress: [{ from: [{ podSelector: {} }], ports: [{ port: "web" }] }] }));
    });
    const group = "peers pods [all] in shop on n1";
    assert.equal((entries.all.get(group) as PeersEntry).named, undefined);
    await change((tx) =>
      putPolicy(tx, "shop/out", spec({ egress: [{ to: [{ podSelector: {} }], ports: [{ port: "web" }] }] })),
    );
    assert.deepEqual((entries.all.get(group) as PeersEntry).named, { web: { "10.42.0.5": 8080 } });
    await change((tx) => tx.remove(networkPolicies, "shop/out"));
    assert.equal((entries.all.get(group) as PeersEntry).named, undefined);
  });

  test("a pod that no peer can mean makes nobody work", async () => {
    const { entries, change } = await open();
    await change((tx) => putPolicy(tx, "shop/p", fromFront));
    const { puts } = entries;
    await change((tx) => putPod(tx, "shop/x", { labels: { app: "back" }, address: "10.42.0.9" }));
    await change((tx) => putPod(tx, "else/x", { labels: { app: "front" }, address: "10.42.0.8" }));
    assert.equal(entries.puts, puts);
  });

  test("after any history the entries are those that a fresh start makes", async () => {
    const label = fc.constantFrom("a", "b");
    const labels = fc.dictionary(fc.constantFrom("app", "tier"), label, { maxKeys: 2 });
    const selector = fc.oneof(
      fc.record({ matchLabels: labels }),
      fc.record({
        matchExpressions: fc.array(
          fc.record({
            key: fc.constantFrom("app", "tier", "env"),
            operator: fc.constantFrom("In" as const, "NotIn" as const, "Exists" as const, "DoesNotExist" as const),
            values: fc.array(label, { maxLength: 2 }),
          }),
          { maxLength: 2 },
        ),
      }),
    );
    const peer = fc.oneof(
      fc.record({ podSelector: selector }),
      fc.record({ namespaceSelector: selector }),
      fc.record({ podSelector: selector, namespaceSelector: selector }),
    );
    const ports = fc.array(fc.constantFrom({ port: "web" }, { port: 80 }), { maxLength: 1 });
    const policy = fc.record({
      podSelector: fc.oneof(fc.constant({}), selector),
      ingress: fc.array(fc.record({ from: fc.array(peer, { maxLength: 2 }) }), { maxLength: 2 }),
      egress: fc.array(fc.record({ to: fc.array(peer, { maxLength: 2 }), ports }), { maxLength: 2 }),
    });
    const key = fc.constantFrom("x/1", "x/2", "y/1", "y/2");
    const look = fc.record(
      {
        labels,
        address: fc.constantFrom("10.42.0.5", "10.42.0.6", "10.42.1.5"),
        node: fc.constantFrom("n1", "n2"),
        phase: fc.constantFrom("Running" as const, "Failed" as const),
        port: fc.constantFrom({ name: "web", containerPort: 80 }, { name: "web", containerPort: 81 }),
      },
      { requiredKeys: ["labels", "node"] },
    );
    const step = fc.oneof(
      fc.tuple(key, look).map(
        ([at, to]) =>
          (tx: Tx) =>
            putPod(tx, at, to),
      ),
      fc.tuple(key, policy).map(
        ([at, to]) =>
          (tx: Tx) =>
            putPolicy(tx, at, to),
      ),
      fc.tuple(fc.constantFrom("x", "y"), labels).map(
        ([at, to]) =>
          (tx: Tx) =>
            putNamespace(tx, at, to),
      ),
      key.map((at) => (tx: Tx) => tx.remove(pods, at)),
      key.map((at) => (tx: Tx) => tx.remove(networkPolicies, at)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), async (batches) => {
        const { entries, change, anew, store } = await open();
        for (const batch of batches) {
          await change((tx) => {
            for (const write of batch) write(tx);
          });
          assert.deepEqual(entries.sorted(), anew().sorted());
        }
        await store.close();
      }),
      { numRuns: 150 },
    );
  });
});
