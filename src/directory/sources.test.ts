import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../model/cluster-settings.ts";
import type { DiscoverPod, Publisher } from "../model/discovery.ts";
import type { LeftOut } from "../model/endpoint-shares.ts";
import { type EndpointSlice, endpointSlices, type SliceEndpoint } from "../model/endpoint-slice.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { Draft, Kind } from "../model/meta.ts";
import type { ClusterEntry, EndpointsEntry, NetworkEntry, NetworkEntryKind, NodeEntry } from "../model/network.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Pod, type PodStatus, pods } from "../model/pod.ts";
import { type ReplicationController, replicationControllers } from "../model/replication-controller.ts";
import { RESTORATION_NAME, type Restoration, restorations } from "../model/restoration.ts";
import { type Service, services } from "../model/service.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";
import { clusterSource } from "./cluster.ts";
import { discoveredSource } from "./discovered.ts";
import { endpointsEntry, endpointsSource } from "./endpoints.ts";
import type { EntrySource } from "./entry-source.ts";
import { nodesSource } from "./nodes.ts";
import { serviceEntry } from "./service.ts";

const metadata = { uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" };

function serviceOf(spec: Service["spec"], annotations: Readonly<Record<string, string>> = {}): Service {
  const own = { ...metadata, name: "web", namespace: "shop", annotations };
  return { apiVersion: "v1", kind: "Service", metadata: own, spec, status: {} };
}

describe("what nodes are told of a Kubernetes Service", () => {
  const rows = [
    {
      why: "ports and the node's port",
      spec: { clusterIP: "10.43.0.5", ports: [{ name: "dns", protocol: "UDP" as const, port: 53, nodePort: 30053 }] },
      says: {
        addresses: ["10.43.0.5"],
        ports: [{ name: "dns", protocol: "udp", port: 53, nodePort: 30053 }],
      },
    },
    {
      why: "its age, where it wants a port of the nodes: the oldest has it",
      spec: { clusterIP: "10.43.0.5", ports: [{ port: 53, nodePort: 30053 }] },
      says: { since: "2026-01-01T00:00:00Z" },
    },
    { why: "headless: no address", spec: { clusterIP: "None", ports: [{ port: 80 }] }, says: { addresses: [] } },
    {
      why: "of two addresses the one of the pod network",
      spec: { clusterIP: "10.43.0.5", clusterIPs: ["10.43.0.5", "fd00::5"] },
      says: { addresses: ["10.43.0.5"] },
    },
    {
      why: "another name has neither address nor ports",
      spec: { type: "ExternalName" as const, externalName: "DB.example.org.", ports: [{ port: 1 }] },
      says: { externalName: "db.example.org", addresses: [], ports: [] },
    },
    {
      why: "the same client to the same endpoint, for as long as asked",
      spec: { clusterIP: "10.43.0.5", sessionAffinity: "ClientIP" as const },
      says: { affinitySeconds: 10_800 },
    },
    {
      why: "local traffic stays local",
      spec: { externalTrafficPolicy: "Local" as const, internalTrafficPolicy: "Local" as const },
      says: { externalTraffic: "local", internalTraffic: "local" },
    },
    { why: "nearby first", spec: { trafficDistribution: "PreferClose" as const }, says: { prefer: "same-zone" } },
    { why: "ready or not", spec: { publishNotReadyAddresses: true }, says: { publishNotReady: true } },
  ];
  for (const { why, spec, says } of rows) {
    test(why, () => {
      const entry = serviceEntry(serviceOf(spec)) as unknown as Readonly<Record<string, unknown>>;
      const told = Object.fromEntries(Object.keys(says).map((key) => [key, entry[key]]));
      assert.deepEqual(told, says);
      assert.equal(entry.id, "shop/web");
    });
  }
});

function sliceOf(endpoints: readonly SliceEndpoint[], more: Partial<EndpointSlice> = {}): EndpointSlice {
  const labels = { "kubernetes.io/service-name": "web" };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, name: "web-1", namespace: "shop", labels },
    addressType: "IPv4",
    endpoints,
    ports: [{ name: "http", port: 8080 }],
    ...more,
  };
}

describe("what nodes are told of an EndpointSlice", () => {
  const states = [
    { why: "no word counts as ready", conditions: undefined, is: "ready" },
    { why: "ready", conditions: { ready: true }, is: "ready" },
    {
      why: "on its way out and still serving",
      conditions: { ready: false, serving: true, terminating: true },
      is: "draining",
    },
    { why: "on its way out and done", conditions: { ready: false, serving: false, terminating: true }, is: "waiting" },
    { why: "not ready yet", conditions: { ready: false, serving: false }, is: "waiting" },
  ];
  for (const { why, conditions, is } of states) {
    test(`an endpoint: ${why}: ${is}`, () => {
      const endpoint = { addresses: ["10.42.0.3"], ...(conditions ? { conditions } : {}) };
      assert.equal(endpointsEntry(sliceOf([endpoint]), () => undefined)?.endpoints[0]?.state, is);
    });
  }

  test("one of no Service, and one of addresses that the pod network does not have, is nobody's", () => {
    assert.equal(
      endpointsEntry(sliceOf([], { metadata: { ...metadata, name: "x" } }), () => undefined),
      undefined,
    );
    assert.equal(
      endpointsEntry(sliceOf([], { addressType: "IPv6" }), () => undefined),
      undefined,
    );
  });

  test("the pod that it is, its node, and the node's zone where the slice names none", () => {
    const targetRef = { kind: "Pod", namespace: "shop", name: "web-0", uid: "u1" };
    const entry = endpointsEntry(
      sliceOf([{ addresses: ["10.42.0.3"], nodeName: "n1", hostname: "web-0", targetRef }]),
      (node) => (node === "n1" ? "a" : undefined),
    );
    const place = { node: "n1", zone: "a", hostname: "web-0", pod: "shop/web-0", uid: "u1" };
    assert.deepEqual(entry?.endpoints, [{ address: "10.42.0.3", state: "ready", ...place }]);
    assert.deepEqual(entry?.ports, [{ name: "http", protocol: "tcp", port: 8080 }]);
  });
});

test("a port without a number, which is every port, is none that could be translated to", () => {
  const every = [{ name: "all" }, { name: "none", port: null }, { name: "http", port: 8080 }];
  const entry = endpointsEntry(
    sliceOf([], { ports: every as unknown as NonNullable<EndpointSlice["ports"]> }),
    () => undefined,
  );
  assert.deepEqual(entry?.ports, [{ name: "http", protocol: "tcp", port: 8080 }]);
});

/** Brings a source up to date by hand, as the directory does. */
async function world(source: EntrySource) {
  const clock = new ManualClock();
  const parts = { journal: new MemoryJournal(), clock, random: new SeededRandom(1), log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, ...parts });
  const entries = new Map<string, NetworkEntry>();
  const written: string[] = [];
  const sink = {
    put: (entry: NetworkEntry) => {
      written.push(entry.id);
      entries.set(`${entry.kind} ${entry.id}`, entry);
    },
    remove: (kind: NetworkEntryKind, id: string) => void entries.delete(`${kind} ${id}`),
  };
  source.begin(store, sink);
  const change = async (fn: (tx: Tx) => void) => {
    const since = store.revision;
    await store.update((tx) => fn(tx));
    const watch = store.watch({ since, kinds: source.kinds });
    const { value } = await watch.next();
    await watch.return();
    source.changed(value ?? [], store, sink);
  };
  return { clock, store, entries, change, written };
}

const nodeOf = (name: string, zone: string) => ({
  apiVersion: "v1",
  kind: "Node" as const,
  metadata: { name, labels: { "topology.kubernetes.io/zone": zone } },
  spec: {},
  status: { nodeInfo: { machineID: name } } as Node["status"],
});

test("a node that moves to another zone takes its endpoints along, and nobody else's", async () => {
  const { change, entries, written } = await world(endpointsSource());
  const at = (name: string, node: string) => {
    const { uid: _uid, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...own } = sliceOf([]).metadata;
    return { ...sliceOf([{ addresses: ["10.42.0.3"], nodeName: node }]), metadata: { ...own, name } };
  };
  await change((tx) => {
    for (const name of ["n1", "n2"]) tx.create<Node>(nodes, nodeOf(name, "a"));
    tx.create<EndpointSlice>(endpointSlices, at("one", "n1"));
    tx.create<EndpointSlice>(endpointSlices, at("two", "n2"));
  });
  written.length = 0;
  await change((tx) => {
    const node = tx.get(nodes, "n1") as Node;
    tx.update<Node>(nodes, { ...node, metadata: { ...node.metadata, labels: nodeOf("n1", "b").metadata.labels } });
  });
  assert.deepEqual(written, ["shop/one"]);
  assert.equal((entries.get("endpoints shop/one") as EndpointsEntry).endpoints[0]?.zone, "b");
  await change((tx) => tx.remove(endpointSlices, "shop/one"));
  assert.equal(entries.has("endpoints shop/one"), false);
});

describe("a namespace with more endpoints than nodes are told of", () => {
  const service = (name: string) => ({
    ...{ apiVersion: "v1", kind: "Service" as const, status: {}, metadata: { name, namespace: "shop" } },
    spec: { clusterIP: "None", ports: [{ port: 80 }] },
  });
  const slice = (name: string, of: string, count: number) => ({
    ...sliceOf(Array.from({ length: count }, (_, at) => ({ addresses: [`10.42.0.${at + 1}`] }))),
    metadata: { name, namespace: "shop", labels: { "kubernetes.io/service-name": of } },
  });
  const allow = (tx: Tx, most: number) => {
    const spec = { serviceEndpointsPerNamespace: most };
    const before = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME);
    const draft = { apiVersion: clusterSettings.apiVersion, kind: "ClusterSettings" as const, spec };
    if (before) tx.update<ClusterSettings>(clusterSettings, { ...before, spec });
    else tx.create<ClusterSettings>(clusterSettings, { ...draft, metadata: { name: CLUSTER_SETTINGS_NAME } });
  };
  const full = async () => {
    const said: string[] = [];
    const listener = {
      begin: () => void said.push("begin"),
      note: (name: string, out: LeftOut | undefined) => void said.push(`${name} ${out?.told}/${out?.endpoints}`),
    };
    const here = await world(endpointsSource(listener));
    await here.change((tx) => {
      allow(tx, 20);
      tx.create<Service>(services, service("old"));
      tx.create<EndpointSlice>(endpointSlices, slice("old-1", "old", 10));
    });
    await here.clock.advance(2_000);
    await here.change((tx) => {
      tx.create<Service>(services, service("new"));
      tx.create<EndpointSlice>(endpointSlices, slice("new-1", "new", 8));
      tx.create<EndpointSlice>(endpointSlices, slice("new-2", "new", 8));
    });
    return { ...here, said, told: () => [...here.entries.keys()].sort() };
  };
  const [old1, new1, new2] = ["endpoints shop/old-1", "endpoints shop/new-1", "endpoints shop/new-2"];

  test("has the older Service whole, and as many slices of the younger as there is room for; a new leader tells the same", async () => {
    const { told, said, store } = await full();
    assert.deepEqual(told(), [new1, old1]);
    assert.deepEqual(said, ["begin", "shop/new 8/16"]);
    const next: string[] = [];
    const put = (entry: NetworkEntry) => void next.push(`${entry.kind} ${entry.id}`);
    endpointsSource().begin(store, { put, remove: () => undefined });
    assert.deepEqual(next.sort(), [new1, old1]);
  });

  test("tells what was left out as soon as others go, and only that", async () => {
    const { change, told, said, written } = await full();
    written.length = 0;
    await change((tx) => tx.remove(endpointSlices, "shop/old-1"));
    assert.deepEqual([told(), written], [[new1, new2], ["shop/new-2"]]);
    assert.equal(said.at(-1), "shop/new undefined/undefined");
  });

  test("tells it when more is allowed, and takes it back when less is", async () => {
    const { change, told } = await full();
    await change((tx) => allow(tx, 26));
    assert.deepEqual(told(), [new1, new2, old1]);
    await change((tx) => allow(tx, 10));
    assert.deepEqual(told(), [old1]);
  });

  test("an older Service that grows takes the place of a younger one's, and an endpoint that is ready again moves nobody", async () => {
    const { change, told, written } = await full();
    const grow = (tx: Tx, count: number) => {
      const before = tx.get(endpointSlices, "shop/old-1") as EndpointSlice;
      tx.update<EndpointSlice>(endpointSlices, { ...before, endpoints: slice("old-1", "old", count).endpoints });
    };
    await change((tx) => grow(tx, 15));
    assert.deepEqual(told(), [old1]);
    await change((tx) => grow(tx, 12));
    assert.deepEqual(told(), [new1, old1]);
    written.length = 0;
    await change((tx) => {
      const before = tx.get(endpointSlices, "shop/new-1") as EndpointSlice;
      const endpoints = before.endpoints.map((one) => ({ ...one, conditions: { ready: false } }));
      tx.update<EndpointSlice>(endpointSlices, { ...before, endpoints });
    });
    assert.deepEqual(written, ["shop/new-1"]);
  });
});

test("nodes are told that the control plane was restored, for as long as nobody has confirmed it", async () => {
  const { change, entries } = await world(clusterSource());
  const isRestored = () => (entries.get("cluster cluster") as ClusterEntry).isRestored;
  assert.equal(isRestored(), undefined);
  const spec = { restoredAt: "", backupTime: "", backupRevision: 1, backupVersion: "1", state: "held" } as const;
  await change((tx) =>
    tx.create<Restoration>(restorations, {
      ...{ apiVersion: restorations.apiVersion, kind: "Restoration", metadata: { name: RESTORATION_NAME }, spec },
    }),
  );
  assert.equal(isRestored(), true);
  await change((tx) => {
    const held = tx.get(restorations, RESTORATION_NAME) as Restoration;
    tx.update<Restoration>(restorations, { ...held, spec: { ...held.spec, state: "confirmed" } });
  });
  assert.equal(isRestored(), undefined);
});

describe("what nodes are told of a node", () => {
  const told = async (
    draft: { readonly labels?: Readonly<Record<string, string>> } & Pick<Partial<Node>, "spec" | "status">,
  ) => {
    const { change, entries } = await world(nodesSource());
    const { labels = {}, spec = {}, status = {} } = draft;
    await change((tx) => {
      const base = nodeOf("n1", "a");
      const said: Node["status"] = { ...base.status, ...{ conditions: [], addresses: [] }, ...status };
      tx.create<Node>(nodes, { ...base, metadata: { name: "n1", labels }, spec, status: said });
    });
    return entries.get("node n1") as NodeEntry;
  };

  test("it is a way in when its label says so, or when its agent does, and otherwise not", async () => {
    const label = { "styrmann.dev/way-in": "true" };
    const network = { isWayIn: true } as NonNullable<Node["status"]["network"]>;
    assert.equal((await told({})).isWayIn, undefined);
    assert.equal((await told({ labels: label })).isWayIn, true);
    assert.equal((await told({ status: { network } as Node["status"] })).isWayIn, true);
  });

  test("the ports of a way in are told, where they are not the usual ones", async () => {
    const status = { network: { wayInPorts: [8080, 8443] } } as unknown as Node["status"];
    assert.equal((await told({ status })).wayInPorts, undefined);
    assert.deepEqual((await told({ labels: { "styrmann.dev/way-in": "true" }, status })).wayInPorts, [8080, 8443]);
  });

  test("why it has no range of addresses is said, until it has one", async () => {
    const message = "all ranges are given away";
    const condition = { type: "NetworkUnavailable", status: "True", reason: "PodRangesExhausted", message };
    const status = { conditions: [condition] } as unknown as Node["status"];
    assert.equal((await told({ status })).rangeProblem, message);
    const ranged = await told({ status, spec: { podCIDR: "10.42.3.0/24" } });
    assert.deepEqual([ranged.podRange, ranged.rangeProblem], ["10.42.3.0/24", undefined]);
  });
});

/** Its label names the app of which it is a copy, and the port where it answers. */
const discover: DiscoverPod = ({ metadata: { labels }, status }) => {
  const app = labels?.app;
  if (app === undefined) return undefined;
  const address = status.podIP ?? "192.0.2.1";
  const port = Number(labels?.port ?? 80);
  const ports = [{ id: "web", protocol: "tcp" as const, address, port }];
  return {
    records: [{ type: "A", name: `${app}.marathon.mesos`, address }],
    services: [{ id: `marathon:/${app}`, ports }],
  };
};

/** What stands for an app: its label says its service port. */
const publisher: Publisher<ReplicationController> = {
  kind: replicationControllers,
  tell: ({ metadata: { name, labels, creationTimestamp } }) => ({
    services: [
      {
        ...{ id: `marathon:/${name}`, name: `/${name}`, since: creationTimestamp },
        ports: labels?.service
          ? [{ id: "web", name: "http", protocol: "tcp", servicePort: Number(labels.service) }]
          : [],
      },
    ],
    routes: [
      {
        ...{ id: `marathon:/${name} 0`, host: `${name}.example.org`, path: "/", pathType: "prefix" },
        ...{ service: `marathon:/${name}`, port: "web", source: `Marathon app /${name}`, since: creationTimestamp },
      },
    ],
  }),
};
const discovery = { discover: [discover], publishers: [publisher] };

function appDraft(name: string, labels: Readonly<Record<string, string>>) {
  const spec = { replicas: 0, template: { metadata: {}, spec: { containers: [] } } };
  const draft = { apiVersion: "v1", kind: "ReplicationController", metadata: { name, namespace: "default", labels } };
  return { ...draft, spec, status: {} } as unknown as Draft<ReplicationController>;
}

const READY: PodStatus = {
  phase: "Running",
  podIP: "10.42.1.5",
  conditions: [{ type: "Ready", status: "True" }],
};

function podDraft(name: string, labels: Readonly<Record<string, string>>) {
  const spec = { containers: [{ name: "main", image: "i" }], nodeName: "n1" };
  return {
    apiVersion: "v1",
    kind: "Pod" as const,
    metadata: { name, namespace: "default", labels },
    spec,
    status: { phase: "Pending" as const },
  };
}

describe("what nodes are told of other dialects' pods", () => {
  const patch = (tx: Tx, name: string, change: (pod: Pod) => Pod) => {
    const pod = tx.get(pods, `default/${name}`) as Pod;
    tx.update<Pod>(pods, change(pod));
  };
  const ready = (tx: Tx, name: string) => patch(tx, name, (pod) => ({ ...pod, status: READY }));

  test("a pod is no name before it is ready, and none from the moment its end is asked for; its connections may go on", async () => {
    const { change, entries, store } = await world(discoveredSource(discovery));
    await change((tx) => void tx.create<Pod>(pods, podDraft("p1", { app: "web" })));
    const uid = store.get(pods, "default/p1")?.metadata.uid ?? "";
    const stateNow = () => (entries.get(`endpoints marathon:/web ${uid}`) as EndpointsEntry).endpoints[0]?.state;
    assert.equal(entries.has(`names ${uid}`), false);
    assert.equal(stateNow(), "waiting");
    await change((tx) => ready(tx, "p1"));
    assert.equal(entries.has(`names ${uid}`), true);
    assert.equal(stateNow(), "ready");
    await change((tx) =>
      patch(tx, "p1", (pod) => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } })),
    );
    assert.equal(entries.has(`names ${uid}`), false);
    assert.equal(stateNow(), "draining");
    await change((tx) => tx.remove(pods, "default/p1"));
    assert.deepEqual([...entries.keys()], []);
  });

  test("each pod answers at the port that its host gave it, behind the one port of the service", async () => {
    const { change, entries } = await world(discoveredSource(discovery));
    await change((tx) => {
      tx.create(replicationControllers, appDraft("web", { service: "10000" }));
      for (const [name, port] of [
        ["p1", "31001"],
        ["p2", "31002"],
      ] as const) {
        tx.create<Pod>(pods, podDraft(name, { app: "web", port }));
        ready(tx, name);
      }
    });
    const all = [...entries.values()];
    const ports = all.flatMap((entry) => (entry.kind === "endpoints" ? entry.ports.map(({ port }) => port) : []));
    assert.deepEqual(ports.sort(), [31_001, 31_002]);
    const services = all.flatMap((entry) => (entry.kind === "service" ? entry.ports : []));
    assert.deepEqual(services, [{ name: "web", protocol: "tcp", port: 10_000, nodePort: 10_000 }]);
  });

  test("service ports and routes are their object's: there before the first copy, with none, and as its newest version says", async () => {
    const { change, entries } = await world(discoveredSource(discovery));
    const serviceNow = () => {
      const entry = entries.get("service marathon:/web");
      return entry?.kind === "service" ? [entry.ports[0]?.nodePort, entry.since] : undefined;
    };
    const since = "2026-01-01T00:00:00Z";
    await change((tx) => void tx.create(replicationControllers, appDraft("web", { service: "10001" })));
    assert.deepEqual(serviceNow(), [10_001, since]);
    assert.deepEqual([...entries.keys()].sort(), ["route marathon:/web 0", "service marathon:/web"]);
    await change((tx) => {
      tx.create<Pod>(pods, podDraft("p1", { app: "web" }));
      ready(tx, "p1");
    });
    await change((tx) => tx.remove(pods, "default/p1"));
    assert.deepEqual(serviceNow(), [10_001, since], "its last copy takes nothing along");
    assert.ok(entries.has("route marathon:/web 0"));
    await change((tx) => {
      const app = tx.get(replicationControllers, "default/web") as ReplicationController;
      tx.update(replicationControllers, { ...app, metadata: { ...app.metadata, labels: { service: "10002" } } });
    });
    assert.deepEqual(serviceNow(), [10_002, since]);
    await change((tx) => tx.remove(replicationControllers, "default/web"));
    assert.equal(entries.size, 0);
  });

  test("whoever comes, changes and goes: services are those of the objects that there are, and endpoints those of the pods", async () => {
    const { change, entries, store, written } = await world(discoveredSource(discovery));
    const random = new SeededRandom("discovered");
    const named = (kind: NetworkEntryKind) =>
      [...entries.values()].filter((entry) => entry.kind === kind).map(({ id }) => id);
    for (let step = 0; step < 60; step++) {
      const kind = random.int(2) === 0 ? pods : replicationControllers;
      const there = [...store.list<Pod | ReplicationController>(kind as Kind<Pod | ReplicationController>)];
      const one = there[Math.floor(random.next() * there.length)];
      const isNew = one === undefined || random.int(2) === 0;
      await change((tx) => {
        if (!isNew) tx.remove(kind as Kind, `default/${one.metadata.name}`);
        else if (kind === pods) tx.create<Pod>(pods, podDraft(`p${step}`, { app: `a${step % 3}` }));
        else tx.create(replicationControllers, appDraft(`a${step}`, { service: "10000" }));
      });
      const apps = store.list(replicationControllers).map(({ metadata }) => `marathon:/${metadata.name}`);
      assert.deepEqual(named("service").sort(), apps.sort(), `after ${step} steps`);
      assert.equal(named("route").length, apps.length);
      const uids = store.list(pods).map(({ metadata }) => metadata.uid);
      const told = named("endpoints").map((id) => id.split(" ")[1]);
      assert.deepEqual(told.sort(), uids.sort(), `after ${step} steps`);
    }
    await change((tx) => void tx.create<Pod>(pods, podDraft("one", { app: "web" })));
    written.length = 0;
    await change((tx) => ready(tx, "one"));
    assert.ok(!written.includes("marathon:/web"), "the news of one copy among many is its own alone");
  });

  test("a pod that is over, and one of no such dialect, is told of nowhere", async () => {
    const { change, entries } = await world(discoveredSource(discovery));
    await change((tx) => {
      tx.create<Pod>(pods, podDraft("p1", {}));
      tx.create<Pod>(pods, podDraft("p2", { app: "web" }));
      patch(tx, "p2", (pod) => ({ ...pod, status: { phase: "Failed" } }));
    });
    assert.equal(entries.size, 0);
  });
});
