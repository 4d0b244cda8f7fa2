import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { events } from "../model/event.ts";
import type { Draft, StoredObject } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { SystemClock } from "../seams/clock.ts";
import { silentLog } from "../seams/log.ts";
import { SeededRandom } from "../seams/random.ts";
import { deletePod } from "../store/delete-pod.ts";
import type { JournalEntry } from "../store/journal.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { refusalOf } from "./bind-pod.ts";
import { Scheduler } from "./scheduler.ts";
import { type TestNode, type TestPod, testNode, testPod } from "./test-objects.ts";

const cleanups: (() => Promise<void>)[] = [];

/** A disk that takes a while, so that transactions overtake each other's durability. */
class SlowJournal extends MemoryJournal {
  override async append(entries: readonly JournalEntry[]): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return super.append(entries);
  }
}

async function cluster(journal: MemoryJournal = new MemoryJournal()) {
  const clock = new SystemClock();
  const random = new SeededRandom("scheduler.test");
  const store = await Store.open({ kinds: [pods, nodes, events], journal, clock, random, log: silentLog });
  const scheduler = new Scheduler({ store, clock, random, log: silentLog });
  scheduler.start();
  cleanups.push(async () => {
    await scheduler.stop();
    await store.close();
  });
  return { store, scheduler, journal, clock };
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function draft<T extends StoredObject>(object: T): Draft<T> {
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Draft<T>;
}

const addNode = (store: Store, node: TestNode) => store.update((tx) => tx.create<Node>(nodes, draft(testNode(node))));
const addPod = (store: Store, pod: TestPod) => store.update((tx) => tx.create<Pod>(pods, draft(testPod(pod))));

async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const clock = new SystemClock();
  const deadline = clock.monotonic() + 5000;
  for (;;) {
    const found = look();
    if (found) return found;
    if (clock.monotonic() > deadline) throw new Error(`waited 5 s in vain: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const podOf = (store: Store, name: string) => store.get(pods, `default/${name}`) as Pod;
const bound = (store: Store, name: string) =>
  until(`pod ${name} is bound`, () => podOf(store, name)?.spec.nodeName !== undefined && podOf(store, name));
const refused = (store: Store, name: string) =>
  until(`pod ${name} says why it waits`, () => refusalOf(podOf(store, name)) !== undefined && podOf(store, name));

describe("scheduler", () => {
  test("binds a pod, says so in a condition and gives its reason in an event", async () => {
    const { store } = await cluster();
    await addNode(store, { name: "n1" });
    await addNode(store, { name: "n2", cpu: "1" });
    await addPod(store, { name: "a", app: "web", cpu: "500m" });
    const pod = await bound(store, "a");
    assert.equal(pod.spec.nodeName, "n1");
    assert.equal(pod.status.conditions?.find(({ type }) => type === "PodScheduled")?.status, "True");
    const [event] = store.by(events, "about", pod.metadata.uid);
    assert.equal(event?.reason, "Scheduled");
    assert.match(event?.message ?? "", /^Successfully assigned default\/a to n1: the best by load and spread/);
  });

  test("a pod that fits nowhere says why with the numbers, once, and is bound when room comes", async () => {
    const { store } = await cluster();
    await addNode(store, { name: "n1", memory: "1Gi" });
    await addPod(store, { name: "first", memory: "812Mi" });
    await bound(store, "first");
    await addPod(store, { name: "big", memory: "300Mi" });
    const waiting = await refused(store, "big");
    assert.equal(refusalOf(waiting), "0 of 1 node can take it. n1: needs 300 MiB memory, 212 MiB of 1 GiB free");
    const version = waiting.metadata.resourceVersion;
    const node = store.get(nodes, "n1") as Node;
    await store.update((tx) =>
      tx.update(nodes, { ...node, metadata: { ...node.metadata, annotations: { beat: "1" } } }),
    );
    // By then the scheduler has seen the node's change, too.
    await addPod(store, { name: "elsewhere", memory: "10Gi" });
    await refused(store, "elsewhere");
    assert.equal(
      podOf(store, "big").metadata.resourceVersion,
      version,
      "nothing changed for it, so nothing is written",
    );
    await store.update((tx) => tx.remove(pods, "default/first"));
    const pod = await bound(store, "big");
    assert.equal(refusalOf(pod), undefined);
    assert.equal(pod.status.reason, undefined);
    assert.equal(pod.status.message, undefined);
  });

  test("the numbers of a refusal stay true when room goes, too", async () => {
    const { store } = await cluster();
    await addNode(store, { name: "n1", cpu: "1" });
    await addPod(store, { name: "large", cpu: "2" });
    const words = () => refusalOf(podOf(store, "large")) ?? "";
    await until("its refusal speaks of an empty node", () => words().includes("1 of 1 free"));
    await addPod(store, { name: "small", cpu: "600m" });
    await bound(store, "small");
    await until("its refusal speaks of what is left", () => words().includes("400m of 1 free"));
  });

  test("a node that comes later takes what was waiting", async () => {
    const { store } = await cluster();
    await addPod(store, { name: "a" });
    assert.equal(refusalOf(await refused(store, "a")), "there are no nodes yet");
    await addNode(store, { name: "n1", docker: false });
    await until("the message names Docker", () =>
      refusalOf(podOf(store, "a"))?.includes("needs Docker: no Docker Engine"),
    );
    const node = store.get(nodes, "n1") as Node;
    const status = { ...node.status, drivers: { docker: { ready: true } } };
    await store.update((tx) => tx.update(nodes, { ...node, status }));
    assert.equal((await bound(store, "a")).spec.nodeName, "n1");
  });

  test("order: priority first, then age, then key", async () => {
    const { store } = await cluster();
    await store.update((tx) => {
      for (const [name, priority] of [
        ["b", 0],
        ["a", 0],
        ["z", 5],
      ] as const) {
        tx.create<Pod>(pods, draft(testPod({ name, cpu: "600m", spec: { priority } })));
      }
    });
    // All have been tried: one that still has its first try before it need not wait for those that were put aside.
    for (const name of ["a", "b", "z"]) await refused(store, name);
    await addNode(store, { name: "n1", cpu: "1300m" });
    await bound(store, "z");
    await bound(store, "a");
    await until("b knows why", () => refusalOf(podOf(store, "b"))?.includes("needs 600m CPU, 100m of 1300m free"));
  });

  test("host ports: static ones are exclusive, dynamic ones are picked from the node's range and written down", async () => {
    const { store } = await cluster();
    await addNode(store, { name: "n1", dynamicPorts: [31000, 31002] });
    await addPod(store, { name: "taken", hostPort: 31001 });
    await bound(store, "taken");
    const ports = [
      { containerPort: 80, name: "web", dynamicHostPort: true },
      { containerPort: 81, name: "admin", dynamicHostPort: true },
    ];
    await addPod(store, { name: "d", ports });
    const pod = await bound(store, "d");
    const given = pod.spec.containers[0]?.ports?.map(({ hostPort }) => hostPort);
    assert.deepEqual(given?.toSorted(), [31000, 31002]);
    await addPod(store, { name: "e", ports });
    assert.match(refusalOf(await refused(store, "e")) ?? "", /needs 2 host ports, 0 of 31000-31002 free/);
    await addPod(store, { name: "f", hostPort: 31001 });
    assert.match(refusalOf(await refused(store, "f")) ?? "", /needs host port 31001\/tcp, held by default\/taken/);
    await store.update((tx) => tx.remove(pods, "default/d"));
    await bound(store, "e");
  });

  test("a pod with a deletion time is never bound, one with a node of its own counts", async () => {
    const { store } = await cluster();
    await addNode(store, { name: "n1", cpu: "1" });
    await store.update((tx) => {
      const pod = tx.create<Pod>(pods, draft(testPod({ name: "going", spec: { priority: 9 } })));
      tx.update(pods, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
      tx.create<Pod>(pods, draft(testPod({ name: "own", cpu: "800m", spec: { nodeName: "n1" } })));
      tx.create<Pod>(pods, draft(testPod({ name: "late", cpu: "800m" })));
    });
    assert.match(refusalOf(await refused(store, "late")) ?? "", /needs 800m CPU, 200m of 1 free/);
    assert.equal(podOf(store, "going").spec.nodeName, undefined);
  });

  test("never oversells, also when others bind pods at the same time and the journal fails", async () => {
    const { store, journal } = await cluster(new SlowJournal());
    const names = ["n1", "n2", "n3"];
    for (const name of names) await addNode(store, { name, cpu: "2" });
    const random = new SeededRandom("oversell");
    let refusals = 0;
    for (let at = 0; at < 200; at++) {
      if (at % 20 === 19) journal.refuseWith = "disk full";
      // Some are bound by somebody else, who looks first, in a transaction like the scheduler's.
      void store
        .update((tx) => {
          const name = names[random.int(3)] as string;
          const room = tx.by(pods, "node", name).length < 6;
          const nodeName = at % 3 === 0 && room ? name : undefined;
          tx.create<Pod>(
            pods,
            draft(testPod({ name: `p${at}`, cpu: "300m", ...(nodeName ? { spec: { nodeName } } : {}) })),
          );
          const gone = tx.by(pods, "node", name)[0];
          if (at % 4 === 0 && gone) tx.remove(pods, `default/${gone.metadata.name}`);
        })
        .catch(() => refusals++);
      for (let turn = 0; turn < random.int(12); turn++) await new Promise((resolve) => setImmediate(resolve));
      journal.refuseWith = undefined;
      for (const name of names) {
        const count = store.by(pods, "node", name).length;
        assert.ok(count <= 6, `${name} has ${count} pods of 300m, and 2 CPU (step ${at})`);
      }
    }
    await until("three full nodes", () => names.every((name) => store.by(pods, "node", name).length === 6));
    assert.ok(refusals > 0, "the journal did refuse");
  });

  test("when the journal refuses, nothing is bound; when it writes again, everything is", async () => {
    const { store, journal, scheduler } = await cluster();
    await addNode(store, { name: "n1", cpu: "1" });
    await addPod(store, { name: "a", cpu: "600m" });
    journal.refuseWith = "disk full";
    await until(
      "the store refuses",
      () => store.refusal !== undefined || podOf(store, "a").spec.nodeName !== undefined,
    );
    journal.refuseWith = undefined;
    await bound(store, "a");
    assert.equal(scheduler.pendingCount, 0);
    await store.update((tx) => deletePod(tx, tx.get(pods, "default/a") as Pod));
    await addPod(store, { name: "b", cpu: "600m" });
    assert.match(refusalOf(await refused(store, "b")) ?? "", /400m of 1 free/);
  });

  test("copies keep apart by rule, and one more than there are nodes waits", async () => {
    const { store } = await cluster();
    for (const name of ["n1", "n2"]) await addNode(store, { name });
    const constraints = [
      {
        type: "atMost" as const,
        topologyKey: "kubernetes.io/hostname",
        count: 1,
        pods: { by: "labels" as const, selector: { matchLabels: { app: "one" } } },
        from: '["hostname","UNIQUE"]',
      },
    ];
    for (const name of ["a", "b", "c"]) await addPod(store, { name, app: "one", constraints });
    const waiting = await until("one of them waits", () =>
      store.list(pods).find((pod) => refusalOf(pod) !== undefined),
    );
    const placed = store.list(pods).flatMap(({ spec }) => spec.nodeName ?? []);
    assert.deepEqual(placed.toSorted(), ["n1", "n2"]);
    assert.equal(refusalOf(waiting), '0 of 2 nodes can take it. n1 and n2: ["hostname","UNIQUE"]: already 1 here');
  });

  test("a pod that cannot be read stops nobody, bound or not", async () => {
    const { store } = await cluster();
    await addNode(store, { name: "n1" });
    const broken = { containers: null } as unknown as Partial<Pod["spec"]>;
    await addPod(store, { name: "broken", spec: { ...broken, priority: 9 } });
    await addPod(store, { name: "broken-there", spec: { ...broken, nodeName: "n1" } });
    await addPod(store, { name: "fine" });
    await bound(store, "fine");
    assert.equal(refusalOf(await refused(store, "broken")), "its placement rules cannot be read");
  });

  test("hundreds that wait for the same cost one try, and go one by one as room comes", async () => {
    const { store } = await cluster();
    await addNode(store, { name: "n1", cpu: "1" });
    await addPod(store, { name: "holder", cpu: "900m" });
    await bound(store, "holder");
    await store.update((tx) => {
      for (let at = 0; at < 600; at++) {
        tx.create<Pod>(pods, draft(testPod({ name: `w${String(at).padStart(3, "0")}`, app: "w", cpu: "300m" })));
      }
    });
    await until("all know why", () =>
      store.by(pods, "node", "").every((pod) => refusalOf(pod)?.includes("100m of 1 free")),
    );
    const before = store.revision;
    await addPod(store, { name: "tiny", cpu: "50m" });
    await bound(store, "tiny");
    await store.update((tx) => tx.remove(pods, "default/tiny"));
    await store.update((tx) => tx.remove(pods, "default/holder"));
    await until("three of them are placed", () => store.by(pods, "node", "n1").length === 3);
    assert.deepEqual(
      store.by(pods, "node", "n1").map(({ metadata }) => metadata.name),
      ["w000", "w001", "w002"],
    );
    await until("the next one knows", () =>
      refusalOf(podOf(store, "w003"))?.includes("needs 300m CPU, 100m of 1 free"),
    );
    assert.ok(store.revision - before < 40, `${store.revision - before} writes, for 600 pods that wait`);
  });

  test("binds thousands without holding the event loop", async () => {
    const { store } = await cluster();
    await store.update((tx) => {
      for (let at = 0; at < 100; at++)
        tx.create<Node>(nodes, draft(testNode({ name: `n${at}`, cpu: "64", memory: "256Gi" })));
    });
    await store.update((tx) => {
      for (let at = 0; at < 3000; at++) tx.create<Pod>(pods, draft(testPod({ name: `p${at}`, app: "a", cpu: "100m" })));
    });
    let turns = 0;
    await until("all are bound", () => {
      turns++;
      return store.by(pods, "node", "").length === 0;
    });
    assert.ok(turns > 10, `other work had ${turns} turns`);
    const counts = store.list(nodes).map(({ metadata }) => store.by(pods, "node", metadata.name).length);
    assert.deepEqual([Math.min(...counts), Math.max(...counts)], [30, 30], "copies are spread evenly");
  });
});
