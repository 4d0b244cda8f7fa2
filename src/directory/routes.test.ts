import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Exposure, exposures } from "../model/exposure.ts";
import { type Ingress, ingresses } from "../model/ingress.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { NetworkEntry, NetworkEntryKind } from "../model/network.ts";
import { type Pod, pods } from "../model/pod.ts";
import { type Secret, secrets } from "../model/secret.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Change, Reader, Tx } from "../store/transaction.ts";
import { RoutesSource } from "./routes.ts";

/** A store, and what the source makes of it: as it changes, and read anew. */
async function openStage() {
  const clock = new ManualClock();
  const parts = { clock, random: new SeededRandom("routes"), log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
  const entries = new Map<string, NetworkEntry>();
  const sinkOf = (all: Map<string, NetworkEntry>) => ({
    put: (entry: NetworkEntry) => void all.set(`${entry.kind} ${entry.id}`, entry),
    remove: (kind: NetworkEntryKind, id: string) => void all.delete(`${kind} ${id}`),
  });
  const source = new RoutesSource();
  source.begin(store, sinkOf(entries));
  const sorted = (all: Map<string, NetworkEntry>) => [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    async change(work: (tx: Tx) => void, seen: (reader: Reader) => Reader = (reader) => reader): Promise<void> {
      const since = store.revision;
      await store.update(work);
      const stop = new AbortController();
      const changes: Change[] = [];
      for await (const batch of store.watch({ kinds: source.kinds, since, signal: stop.signal })) {
        changes.push(...batch);
        break;
      }
      source.changed(changes, seen(store), sinkOf(entries));
      const anew = new Map<string, NetworkEntry>();
      new RoutesSource().begin(seen(store), sinkOf(anew));
      assert.deepEqual(sorted(entries), sorted(anew), "what changes tell is what is read anew");
    },
    get: (key: string) => entries.get(key) as never,
    of: (kind: NetworkEntryKind) => [...entries.values()].filter((entry) => entry.kind === kind) as never[],
    close: () => store.close(),
  };
}

const METADATA = { name: "web", namespace: "default" };
const backend = { service: { name: "web", port: { number: 80 } } };
const ingress = {
  ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: METADATA, status: {} },
  spec: {
    tls: [{ hosts: ["a.example.org"], secretName: "a" }],
    rules: [{ host: "a.example.org", http: { paths: [{ path: "/x", pathType: "Prefix", backend }] } }],
  },
} as const;

function pod(name: string, more: object = {}, status: object = {}) {
  const annotations = { "styrmann.dev/dialect": "marathon", "styrmann.dev/workload": "/web" };
  const ownerReferences = [{ apiVersion: "marathon/v2", kind: "App", name: "web", uid: "app", controller: true }];
  return {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "marathon", annotations, ownerReferences } },
    spec: { nodeName: "n1", containers: [{ name: "c", ports: [{ containerPort: 8080 }] }], ...more },
    status: {
      phase: "Running",
      podIP: "10.42.0.5",
      hostIP: "192.0.2.1",
      conditions: [{ type: "Ready", status: "True" }],
      ...status,
    },
  } as const;
}

function exposure(more: Partial<Exposure["spec"]> = {}) {
  return {
    ...{ apiVersion: exposures.apiVersion, kind: "Exposure", metadata: { name: "b.example.org" } },
    spec: { host: "b.example.org", path: "/", workload: { dialect: "marathon", name: "/web" }, ...more },
  } as const;
}

describe("routes that nodes are told of:", () => {
  test("an Ingress, the version of its certificate as it changes, and its end", async () => {
    const stage = await openStage();
    await stage.change((tx) => tx.create<Ingress>(ingresses, ingress as never));
    const [route] = stage.of("route") as { tls: unknown; service: string; redirectsToHttps: boolean }[];
    assert.equal(route?.service, "default/web");
    assert.deepEqual(route?.tls, { secret: "default/a", version: "" });
    assert.equal(route?.redirectsToHttps, true);
    await stage.change((tx) => {
      tx.create<Secret>(secrets, { apiVersion: "v1", kind: "Secret", metadata: { name: "a", namespace: "default" } });
    });
    const [later] = stage.of("route") as { tls: { version: string } }[];
    assert.match(later?.tls.version ?? "", /^\d+$/);
    await stage.change((tx) => tx.remove(ingresses, "default/web"));
    assert.deepEqual(stage.of("route"), []);
    await stage.close();
  });

  test("an Ingress of another class is another's", async () => {
    const stage = await openStage();
    const spec = { ...ingress.spec, ingressClassName: "nginx" };
    await stage.change((tx) => tx.create<Ingress>(ingresses, { ...ingress, spec } as never));
    assert.deepEqual(stage.of("route"), []);
    await stage.close();
  });

  test("a workload that is exposed: its pods as they come, are on their way out, and go", async () => {
    const stage = await openStage();
    await stage.change((tx) => tx.create<Pod>(pods, pod("one") as never));
    await stage.change((tx) => tx.create<Exposure>(exposures, exposure() as never));
    const endpoints = () =>
      (stage.of("endpoints") as { ports: { port: number }[]; endpoints: { address: string; state: string }[] }[]).map(
        ({ ports, endpoints }) => `${endpoints[0]?.address}:${ports[0]?.port} ${endpoints[0]?.state}`,
      );
    assert.deepEqual(endpoints(), ["10.42.0.5:8080 ready"]);
    await stage.change((tx) => tx.create<Pod>(pods, pod("two", {}, { podIP: "10.42.0.6", conditions: [] }) as never));
    assert.deepEqual(endpoints(), ["10.42.0.5:8080 ready", "10.42.0.6:8080 waiting"]);
    await stage.change((tx) => {
      const one = tx.get(pods, "marathon/one") as Pod;
      tx.update(pods, { ...one, metadata: { ...one.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
    });
    assert.deepEqual(endpoints()[0], "10.42.0.5:8080 draining");
    await stage.change((tx) => {
      const two = tx.get(pods, "marathon/two") as Pod;
      tx.update(pods, { ...two, metadata: { ...two.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
    });
    assert.deepEqual(endpoints()[1], "10.42.0.6:8080 waiting", "on its way out, and not ready either");
    await stage.change((tx) => tx.remove(pods, "marathon/one"));
    assert.deepEqual(endpoints(), ["10.42.0.6:8080 waiting"]);
    await stage.change((tx) => tx.remove(exposures, "b.example.org"));
    assert.deepEqual([...stage.of("endpoints"), ...stage.of("service"), ...stage.of("route")], []);
    await stage.close();
  });

  test("a pod of another namespace that says it is a copy of the workload gets nothing of what is sent to it", async () => {
    const stage = await openStage();
    await stage.change((tx) => tx.create<Exposure>(exposures, exposure() as never));
    const web = pod("one");
    for (const [namespace, owner] of [
      ["shop", true],
      ["marathon", false],
    ] as const) {
      const { ownerReferences, ...rest } = web.metadata;
      const metadata = { ...rest, namespace, ...(owner ? { ownerReferences } : {}) };
      await stage.change((tx) => tx.create<Pod>(pods, { ...web, metadata } as never));
    }
    assert.deepEqual(stage.of("endpoints"), []);
    await stage.close();
  });

  test("a copy on its way out that is not ready takes nothing: without another, who asks is told so at once", async () => {
    const stage = await openStage();
    await stage.change((tx) => tx.create<Exposure>(exposures, exposure() as never));
    const { metadata, ...rest } = pod("one", {}, { conditions: [] });
    const leaving = { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
    await stage.change((tx) => tx.create<Pod>(pods, { ...rest, metadata: leaving } as never));
    const [entry] = stage.of("endpoints") as { endpoints: { state: string }[] }[];
    assert.equal(entry?.endpoints[0]?.state, "waiting");
    await stage.close();
  });

  test("a port on the host, and one that a unit's own container has published there", async () => {
    const stage = await openStage();
    await stage.change((tx) => tx.create<Exposure>(exposures, exposure({ port: 80 }) as never));
    const hostPort = {
      hostNetwork: true,
      containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 31_000 }] }],
    };
    await stage.change((tx) => tx.create<Pod>(pods, pod("host", hostPort, { podIP: "192.0.2.1" }) as never));
    const children = [
      {
        id: "1",
        name: "x",
        image: "x",
        state: "running",
        ports: [{ containerPort: 80, hostPort: 8081, protocol: "tcp" }],
      },
    ];
    const unit = { hostNetwork: true, containers: [{ name: "unit", driver: "unit" }] };
    await stage.change((tx) =>
      tx.create<Pod>(pods, pod("unit", unit, { containerStatuses: [{ name: "unit", children }] }) as never),
    );
    const ports = (stage.of("endpoints") as { ports: { port: number }[] }[]).map(({ ports }) => ports[0]?.port);
    assert.deepEqual(ports.sort(), [31_000, 8081].sort());
    await stage.close();
  });

  test("however many workloads are exposed, a leader that begins looks at the pods once, and so does a batch of new ones", async () => {
    const stage = await openStage();
    await stage.change((tx) => tx.create<Pod>(pods, pod("one") as never));
    const some = Array.from({ length: 5 }, (_, n) => ({ ...exposure(), metadata: { name: `h${n}.example.org` } }));
    let lists = 0;
    const counting = (reader: Reader): Reader =>
      new Proxy(reader, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          return (kind: unknown, ...rest: unknown[]) => {
            if (name === "list" && kind === pods) lists++;
            return Reflect.apply(value, target, [kind, ...rest]);
          };
        },
      });
    await stage.change((tx) => {
      for (const each of some) tx.create<Exposure>(exposures, each as never);
    }, counting);
    assert.equal(stage.of("endpoints").length, 5);
    // Once when they came, and once by a source that begins anew.
    assert.equal(lists, 2);
    await stage.close();
  });
});
