/** An agent that comes back to the network, and what is for some nodes only. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterSource } from "../../../src/directory/cluster.ts";
import { Directory } from "../../../src/directory/directory.ts";
import type { EntrySource } from "../../../src/directory/entry-source.ts";
import { serviceSource } from "../../../src/directory/service.ts";
import { DirectoryControl } from "../../../src/dispatcher/directory-control.ts";
import { packTextNow } from "../../../src/lib/packed-text.ts";
import type { Draft } from "../../../src/model/meta.ts";
import type { NetworkNews, RouteEntry } from "../../../src/model/network.ts";
import { RESTORATION_NAME, type Restoration, restorations } from "../../../src/model/restoration.ts";
import { type Service, services } from "../../../src/model/service.ts";
import { NetworkPlane } from "../../../src/network/plane/network-plane.ts";
import type { Touched } from "../../../src/network/plane/touched.ts";
import { silentLog } from "../../../src/seams/log.ts";
import type { ManualClock } from "../../../src/seams/manual-clock.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import type { Store } from "../../../src/store/store.ts";
import { NODE, type RemoteStage, remoteStage } from "./stage.ts";
import { PERFECT, type Quality } from "./wire.ts";

/** Services whose label says so are routes, and nodes are ways in, for these tests. */
function waysIn(): EntrySource {
  const look = (
    { metadata: { name, labels } }: Service,
    sink: Parameters<EntrySource["begin"]>[1],
    isGone: boolean,
  ) => {
    const route = { kind: "route", id: name, host: "", path: "/", pathType: "prefix", service: name } as const;
    const said = { ...route, port: 80, source: "a test", options: { auth: { users: [`u:${"secret".repeat(9)}`] } } };
    if (labels?.is === "node") {
      if (isGone) sink.remove("node", name);
      else sink.put({ kind: "node", id: name, address: "", ...(labels.in === "yes" ? { isWayIn: true } : {}) });
    } else if (labels?.is === "route") {
      if (isGone) sink.remove("route", name);
      else sink.put({ ...said, port: Number(labels.port ?? 80) } satisfies RouteEntry, "ways-in");
    }
  };
  return {
    ...{ name: "ways in", kinds: [services] },
    begin: (reader, sink) => reader.list(services).forEach((each) => void look(each, sink, false)),
    changed: (changes, _reader, sink) =>
      changes.forEach(({ type, object }) => void look(object as Service, sink, type === "removed")),
  };
}

const directoryOf = (store: Store, clock: ManualClock) =>
  new Directory({
    ...{ store, clock, log: silentLog, pack: async (text: string) => packTextNow(text) },
    sources: () => [serviceSource(), waysIn()],
  });

const RESTORED: Draft<Restoration> = {
  ...{ apiVersion: restorations.apiVersion, kind: "Restoration", metadata: { name: RESTORATION_NAME } },
  spec: { restoredAt: "", backupTime: "", backupRevision: 1, backupVersion: "1", state: "held" },
};

/** With what says that the store was restored. */
const restoredStage = () =>
  remoteStage(
    PERFECT,
    "restored",
    (store, clock) =>
      new Directory({
        ...{ store, clock, log: silentLog, pack: async (text: string) => packTextNow(text) },
        sources: () => [clusterSource(), serviceSource()],
      }),
  );

const stageOf = (quality: Quality = PERFECT, seed: string | number = "again") =>
  remoteStage(quality, seed, directoryOf);

function put(store: Store, name: string, port: number, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  return store.update((tx) => {
    const before = tx.get(services, `default/${name}`);
    const spec = { clusterIP: "10.43.0.10", ports: [{ port }] };
    const metadata = { name, namespace: "default", labels };
    if (before) tx.update<Service>(services, { ...before, spec, metadata: { ...before.metadata, labels } });
    else tx.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata, spec, status: {} });
  });
}

async function many(store: Store, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await put(store, `service-with-a-name-${at}`, 80);
}

/** A node with its plane; notes what it is told and what its parts were to look at. */
class Host {
  readonly plane: NetworkPlane;
  readonly news: NetworkNews[] = [];
  readonly looked: Touched[] = [];
  readonly #name: string;

  constructor({ clock }: RemoteStage, name: string) {
    this.#name = name;
    const idle = { stop: async () => {}, remove: async () => {}, report: () => ({ state: "working" as const }) };
    const apply = async (_state: unknown, touched: Touched) => void this.looked.push(touched);
    const parts = [{ name: "part", apply, ...idle }];
    this.plane = new NetworkPlane({ nodeName: name, parts, clock, log: silentLog });
  }

  follow(control: RemoteStage["control"]): this {
    this.plane.follow({
      watchNetwork: (listener, signal, has) =>
        control.watchNetwork(
          (news) => {
            this.news.push(news);
            listener(news);
          },
          signal,
          has,
        ),
      networkApplied: (revision) => control.networkApplied(revision),
    });
    return this;
  }

  /** Whether it knows exactly what the directory has for it. */
  agrees({ directory }: RemoteStage): boolean {
    const { entries } = directory().everything(this.#name);
    const held = Object.values(this.plane.state.tables).flatMap((table) => [...table.values()]);
    const texts = new Set(held.map((entry) => JSON.stringify(entry)));
    return held.length === entries.length && entries.every((entry) => texts.has(JSON.stringify(entry)));
  }

  get routes(): readonly string[] {
    return [...this.plane.state.tables.route.keys()].sort();
  }

  /** How many entries the last "all" listed. */
  get listed(): number {
    const all = this.news.filter((news) => news.type === "all").at(-1);
    return all?.type === "all" ? all.entries.length : -1;
  }
}

describe("an agent that comes back", () => {
  test("to a server that was restarted is told what changed, not everything, and its parts look at no more", async () => {
    const stage = await stageOf();
    await many(stage.store, 2_000);
    const host = new Host(stage, NODE).follow(stage.control);
    await stage.until(() => host.agrees(stage), "everything at first");
    assert.equal(host.listed, 2_000);
    stage.crash();
    await put(stage.store, "service-with-a-name-7", 81);
    await put(stage.store, "new", 82);
    await stage.store.update((tx) => tx.remove(services, "default/service-with-a-name-9"));
    host.looked.length = 0;
    stage.restart();
    await stage.until(() => host.agrees(stage), "what changed meanwhile");
    assert.ok(host.listed < 50, `${host.listed} entries`);
    await stage.until(() => host.looked.length > 0, "its parts look");
    const looked = host.looked.flatMap(({ isAll, services }) => [isAll, ...services]).sort();
    const names = ["new", "service-with-a-name-7", "service-with-a-name-9"].map((name) => `default/${name}`);
    assert.deepEqual(looked, [...names, false].sort());
    await put(stage.store, "later", 83);
    await stage.until(() => host.agrees(stage), "what changes from then on");
    stage.control.close("the test ends");
  });

  test("with the same is told nothing but that, and what it has applied counts again", async () => {
    const stage = await stageOf();
    await many(stage.store, 100);
    const host = new Host(stage, NODE).follow(stage.control);
    await stage.until(() => host.agrees(stage), "everything at first");
    stage.wire.breakAll();
    await stage.until(() => host.news.filter(({ type }) => type === "all").length === 2, "it is told again");
    assert.equal(host.listed, 0);
    // A server that has just begun waits for those it has not heard yet.
    await stage.clock.advance(3_000);
    await put(stage.store, "web", 80);
    await stage.until(() => host.agrees(stage), "the next change");
    const { directory } = stage;
    await stage.until(() => directory().settledRevision === directory().revision, "it is settled", 900);
    stage.control.close("the test ends");
  });

  test("whose parts went by its disk until then has them look at everything once", async () => {
    const stage = await stageOf();
    await many(stage.store, 30);
    const first = new Host(stage, NODE).follow(stage.control);
    await stage.until(() => first.agrees(stage), "everything at first");
    const entries = Object.values(first.plane.state.tables).flatMap((table) => [...table.values()]);
    const { control } = stage.dial("n2");
    const second = new Host(stage, "n2");
    const { clock } = stage;
    const cache = { load: async () => entries.slice(1), changed: () => {}, noted: () => {}, stop: async () => {} };
    const part = { apply: async (_state: unknown, touched: Touched) => void second.looked.push(touched) };
    const idle = { stop: async () => {}, remove: async () => {}, report: () => ({ state: "working" as const }) };
    const plane = new NetworkPlane({
      ...{ nodeName: "n2", parts: [{ name: "part", ...part, ...idle }], clock, log: silentLog },
      cache: cache as never,
    });
    Object.assign(second, { plane });
    await plane.begin();
    second.looked.length = 0;
    second.follow(control);
    await stage.until(() => second.agrees(stage), "the one that was not on its disk");
    assert.ok(second.listed < 5, `${second.listed} entries`);
    await stage.until(() => second.looked.some(({ isAll }) => isAll), "its parts look at everything");
    for (const each of [stage.control, control]) each.close("the test ends");
  });

  for (const kept of ["few", "most"] as const)
    test(`to a control plane that was restored, one server after another, keeps what that does not know until it is confirmed (${kept} of it as it was)`, async () => {
      const stage = await restoredStage();
      const { store } = stage;
      await many(store, kept === "few" ? 2 : 600);
      await store.update((tx) =>
        tx.create<Service>(services, {
          ...{ apiVersion: "v1", kind: "Service", metadata: { name: "late", namespace: "default" } },
          ...{ spec: { clusterIP: "10.43.0.11", ports: [{ port: 80 }] }, status: {} },
        }),
      );
      const host = new Host(stage, NODE).follow(stage.control);
      await stage.until(() => host.agrees(stage), "everything at first");
      const { service } = host.plane.state.tables;
      const knows = (name: string) => service.has(`default/${name}`);
      const isMarked = () => host.plane.state.unlisted.has("service default/late");
      stage.crash();
      await store.update((tx) => {
        tx.remove(services, "default/late");
        tx.create<Restoration>(restorations, RESTORED);
      });
      stage.restart();
      await stage.until(isMarked, "it stays");
      await store.update((tx) => tx.remove(services, "default/service-with-a-name-1"));
      await stage.until(() => !knows("service-with-a-name-1"), "what somebody takes away goes");
      stage.crash();
      await store.update((tx) => tx.remove(services, "default/service-with-a-name-0"));
      stage.restart();
      await stage.until(() => !knows("service-with-a-name-0"), "also while another server begins to lead");
      assert.ok(isMarked() && knows("late"));
      const held = store.get(restorations, RESTORATION_NAME) as Restoration;
      const confirm = () =>
        store.update((tx) => tx.update(restorations, { ...held, spec: { ...held.spec, state: "confirmed" } }));
      if (kept === "few") stage.crash();
      await confirm();
      if (kept === "few") stage.restart();
      await stage.until(() => host.agrees(stage), "nothing stays once it is confirmed");
      assert.ok(!knows("late"));
      stage.control.close("the test ends");
    });

  for (const seed of [1, 2, 3, 4]) {
    test(`over links that lose, double and break, to servers that end, it is whole again (seed ${seed})`, async () => {
      const quality = { delayMs: [1, 60] as const, loss: 0.15, duplicate: 0.1, reorder: 0.2 };
      const stage = await stageOf(quality, seed);
      const random = new SeededRandom(seed);
      await put(stage.store, NODE, 1, { is: "node" });
      const host = new Host(stage, NODE).follow(stage.control);
      for (let round = 0; round < 150; round++) {
        const name = `s${random.int(12)}`;
        const draw = random.int(6);
        if (draw === 0)
          await stage.store.update(
            (tx) => tx.get(services, `default/${name}`) && tx.remove(services, `default/${name}`),
          );
        else if (draw === 1) await put(stage.store, NODE, 1, { is: "node", in: random.int(2) === 0 ? "yes" : "no" });
        else if (draw === 2) await put(stage.store, `r${random.int(3)}`, 1, { is: "route", port: `${round}` });
        else await put(stage.store, name, 1 + random.int(9_000));
        if (round % 40 === 20) stage.wire.breakAll();
        if (round % 50 === 30) stage.crash();
        if (round % 50 === 34) stage.restart();
        await stage.clock.advance(random.int(150));
      }
      stage.wire.heal();
      await stage.until(() => host.agrees(stage), "what the node was told is what is there", 30_000);
      stage.control.close("the test ends");
    });
  }
});

describe("frames that are packed", () => {
  /** What one agent is sent of the network, and whether it knows it all then. */
  async function sent(wish: object): Promise<readonly string[]> {
    const stage = await stageOf();
    await many(stage.store, 2_000);
    await stage.clock.advance(100);
    const frames: string[] = [];
    const link = {
      send: (text: string) => {
        const [, sequence] = /^\["[ez]",1,(\d+)/.exec(text) ?? [];
        if (sequence === undefined) return;
        frames.push(text);
        far.frame(`["g","s",1,${sequence},0]`);
      },
      close: () => {},
    };
    const far = stage.dispatcher().accept(link, { nodeName: NODE });
    far.frame('["s","s"]');
    far.frame(JSON.stringify(["c", "s", 1, 1, { method: "network", stream: 1, ...wish }]));
    await stage.until(() => frames.some((frame) => /"all"/.test(frame.slice(0, 30))), "everything");
    return frames;
  }

  test("are sent to agents that say that they read them, and cost a fraction", async () => {
    const [plain, packed] = [await sent({}), await sent({ reads: "zstd" })];
    const chars = (frames: readonly string[]) => frames.reduce((sum, { length }) => sum + length, 0);
    assert.ok(packed.some((frame) => frame.startsWith('["z"')));
    assert.ok(chars(packed) * 4 < chars(plain), `${chars(packed)} of ${chars(plain)}`);
  });

  test("are not sent to an agent of a version before them, nor to one that reads something else", async () => {
    for (const wish of [{}, { reads: "of a later version", has: "something of a later version" }]) {
      const frames = await sent(wish);
      assert.ok(frames.every((frame) => frame.startsWith('["e"')));
      const entries = frames.flatMap((frame) => JSON.parse(frame)[5]);
      assert.equal(entries.length, 2_000);
    }
  });

  test("large changes are packed once for all", async () => {
    const stage = await stageOf();
    await many(stage.store, 10);
    const host = new Host(stage, NODE).follow(stage.control);
    await stage.until(() => host.agrees(stage), "everything at first");
    await stage.store.update((tx) => {
      for (let at = 0; at < 1_000; at++) {
        const metadata = { name: `web-${at}`, namespace: "default" };
        tx.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata, spec: {}, status: {} });
      }
    });
    await stage.until(() => host.agrees(stage), "a thousand at once");
    await put(stage.store, "web-1", 5);
    await stage.until(() => host.agrees(stage), "one after them");
    const { directory } = stage;
    await stage.until(() => directory().settledRevision === directory().revision, "it is settled");
    stage.control.close("the test ends");
  });
});

describe("what is for ways in only", () => {
  test("comes to a node that becomes one at once, is taken away when it ceases to be, and the others never hear of it", async () => {
    const stage = await stageOf();
    const { store } = stage;
    await put(store, "n2", 1, { is: "node" });
    await put(store, "shop", 1, { is: "route" });
    const other = stage.dial("n2");
    const [plain, host] = [new Host(stage, NODE).follow(stage.control), new Host(stage, "n2").follow(other.control)];
    const agree = (what: string) => stage.until(() => plain.agrees(stage) && host.agrees(stage), what, 2_000);
    await agree("at first");
    assert.deepEqual(host.routes, []);
    await put(store, "n2", 1, { is: "node", in: "yes" });
    await agree("a way in");
    assert.deepEqual(host.routes, ["shop"]);
    await put(store, "blog", 1, { is: "route" });
    await put(store, "shop", 1, { is: "route", port: "81" });
    await agree("more routes");
    assert.deepEqual(host.routes, ["blog", "shop"]);
    await put(store, "n2", 1, { is: "node", in: "no" });
    await agree("no way in any more");
    assert.deepEqual(host.routes, []);
    assert.ok(!JSON.stringify(plain.news).includes("secret"));
    for (const { control } of [stage, other]) control.close("the test ends");
  });

  test("is settled when the ways in have it, and no later for the others", async () => {
    const stage = await stageOf();
    await put(stage.store, "n2", 1, { is: "node", in: "yes" });
    const other = stage.dial("n2");
    const hosts = [new Host(stage, NODE).follow(stage.control), new Host(stage, "n2").follow(other.control)];
    await stage.until(() => hosts.every((host) => host.agrees(stage)), "at first");
    await stage.clock.advance(3_000);
    const { directory } = stage;
    for (let at = 0; at < 5; at++) {
      await put(stage.store, `shop-${at}`, 1, { is: "route" });
      await stage.until(() => hosts[1]?.routes.length === at + 1, "the route");
      await stage.until(() => directory().settledRevision === directory().revision, "it is settled", 400);
    }
    other.wire.cutUp = true;
    await put(stage.store, "last", 1, { is: "route" });
    await stage.clock.advance(500);
    assert.ok(directory().settledRevision < directory().revision, "the way in has not said that it has it");
    for (const { control } of [stage, other]) control.close("the test ends");
  });

  test("comes and goes alike in the process of the server itself", async () => {
    const stage = await stageOf();
    const { store, clock } = stage;
    await put(store, "shop", 1, { is: "route" });
    const host = new Host(stage, "n2");
    new DirectoryControl(stage.directory(), "n2").watch((news) => host.plane.hear(news), new AbortController().signal);
    for (const [labels, routes] of [
      [{ is: "node" }, []],
      [{ is: "node", in: "yes" }, ["shop"]],
      [{ is: "node", in: "no" }, []],
    ] as const) {
      await put(store, "n2", 1, labels);
      await clock.advance(100);
      assert.deepEqual(host.routes, routes);
      assert.ok(host.agrees(stage));
    }
    stage.crash();
  });
});
