import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Directory } from "../../../src/directory/directory.ts";
import { serviceSource } from "../../../src/directory/service.ts";
import type { NetworkNews } from "../../../src/model/network.ts";
import { type Service, services } from "../../../src/model/service.ts";
import { silentLog } from "../../../src/seams/log.ts";
import type { ManualClock } from "../../../src/seams/manual-clock.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import type { Store } from "../../../src/store/store.ts";
import { type RemoteStage, remoteStage } from "./stage.ts";
import { PERFECT, type Quality } from "./wire.ts";

const directoryOf = (store: Store, clock: ManualClock) =>
  new Directory({ store, clock, log: silentLog, sources: () => [serviceSource()] });

const stageOf = (quality: Quality, seed: string | number = "network") => remoteStage(quality, seed, directoryOf);

/** What a node holds by what it was told; and that no revision ever goes back within one server's life. */
class Heard {
  readonly entries = new Map<string, string>();
  readonly news: NetworkNews[] = [];
  revision = 0;
  settled = 0;

  take(news: NetworkNews): void {
    this.news.push(news);
    if (news.type === "settled") {
      assert.ok(news.revision >= this.settled, `settled ${news.revision} after ${this.settled}`);
      this.settled = news.revision;
      return;
    }
    if (news.type === "all") {
      this.entries.clear();
      this.settled = 0;
    } else assert.ok(news.revision >= this.revision, `revision ${news.revision} after ${this.revision}`);
    this.revision = news.revision;
    for (const entry of news.entries) this.entries.set(`${entry.kind} ${entry.id}`, JSON.stringify(entry));
    if (news.type === "changed") for (const { kind, id } of news.removed) this.entries.delete(`${kind} ${id}`);
  }

  agrees({ store, directory }: RemoteStage): boolean {
    const wanted = store.list(services).map(({ metadata }) => `service ${metadata.namespace}/${metadata.name}`);
    const held = wanted.every((key) => this.entries.get(key) === directory().get(key)?.text);
    return held && this.entries.size === wanted.length;
  }
}

function listen(stage: RemoteStage, applies = true) {
  const heard = new Heard();
  const stop = new AbortController();
  const { control } = stage;
  const take = (news: NetworkNews) => {
    heard.take(news);
    if (applies && news.type !== "settled") control.networkApplied(news.revision);
  };
  control.watchNetwork(take, stop.signal);
  return { heard, stop: () => stop.abort() };
}

function put(store: Store, name: string, port: number): Promise<void> {
  return store.update((tx) => {
    const before = tx.get(services, `default/${name}`);
    const spec = { clusterIP: "10.43.0.10", ports: [{ port }] };
    const metadata = { name, namespace: "default" };
    if (before) tx.update<Service>(services, { ...before, spec });
    else tx.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata, spec, status: {} });
  });
}

const take = (store: Store, name: string) => store.update((tx) => tx.remove(services, `default/${name}`));

describe("the network as an agent hears it", () => {
  test("everything at first, then what changes, once", async () => {
    const stage = await stageOf(PERFECT);
    await put(stage.store, "web", 80);
    const { heard } = listen(stage);
    await stage.until(() => heard.agrees(stage), "the first list");
    assert.equal(heard.news.filter(({ type }) => type === "all").length, 1);
    await put(stage.store, "web", 81);
    await put(stage.store, "db", 5432);
    await take(stage.store, "web");
    await stage.until(() => heard.agrees(stage), "the changes");
    assert.equal(heard.news.filter(({ type }) => type === "all").length, 1);
    stage.control.close("the test ends");
  });

  test("more than a frame holds comes in parts and is heard as one", async () => {
    const stage = await stageOf(PERFECT);
    for (let at = 0; at < 2_000; at++) await put(stage.store, `service-with-a-long-name-${at}`, 80);
    const { heard } = listen(stage);
    await stage.until(() => heard.agrees(stage), "2,000 services");
    assert.ok(stage.wire.longestFrame < 70 * 1024, `${stage.wire.longestFrame} characters in one frame`);
    const first = heard.news.find(({ type }) => type === "all");
    assert.equal(first?.type === "all" ? first.entries.length : 0, 2_000);
    stage.control.close("the test ends");
  });

  for (const seed of [1, 2, 3, 4, 5, 6]) {
    test(`over a link that loses, doubles and reorders, breaks and ends with its server, it is whole again (seed ${seed})`, async () => {
      const quality = { delayMs: [1, 60] as const, loss: 0.15, duplicate: 0.1, reorder: 0.2 };
      const stage = await stageOf(quality, seed);
      const random = new SeededRandom(seed);
      const { heard } = listen(stage);
      for (let round = 0; round < 120; round++) {
        const name = `s${random.int(12)}`;
        if (random.int(4) === 0) await take(stage.store, name);
        else await put(stage.store, name, 1 + random.int(9_000));
        if (round === 40) stage.wire.breakAll();
        if (round === 70) stage.crash();
        if (round === 74) stage.restart();
        await stage.clock.advance(random.int(150));
      }
      stage.wire.heal();
      await stage.until(() => heard.agrees(stage), "what the node was told is what is there", 30_000);
      stage.control.close("the test ends");
    });
  }

  test("a node that does not read for long is told the newest state, not all there was between", async () => {
    const stage = await stageOf(PERFECT);
    const { heard } = listen(stage);
    await put(stage.store, "web", 1);
    await stage.until(() => heard.agrees(stage), "the first");
    stage.wire.cutUp = true;
    for (let port = 2; port <= 400; port++) {
      await put(stage.store, "web", port);
      await stage.clock.advance(10);
    }
    const before = heard.news.length;
    stage.wire.heal();
    await stage.until(() => heard.agrees(stage), "the last");
    assert.ok(before < 100, `${before} frames to a node that acknowledged none`);
    stage.control.close("the test ends");
  });
});

describe("what all nodes have applied", () => {
  test("is said when the last of them has, and not before", async () => {
    const stage = await stageOf(PERFECT);
    const { heard } = listen(stage);
    const other = stage.dial("n2");
    const slow = new Heard();
    other.control.watchNetwork((news) => slow.take(news), new AbortController().signal);
    await stage.clock.advance(3_000);
    await put(stage.store, "web", 80);
    await stage.until(() => slow.entries.size === 1 && heard.entries.size === 1, "both have heard of it");
    const { revision } = heard;
    await stage.clock.advance(300);
    assert.ok(heard.settled < revision, "the second node has said nothing yet");
    other.control.networkApplied(slow.revision);
    await stage.until(() => heard.settled >= revision, "all have it", 200);
    stage.control.close("the test ends");
    other.control.close("the test ends");
  });

  test("waits for a node that never says so no longer than a second", async () => {
    const stage = await stageOf(PERFECT);
    const { heard } = listen(stage);
    const other = stage.dial("n2");
    other.control.watchNetwork(() => {}, new AbortController().signal);
    await stage.clock.advance(3_000);
    await put(stage.store, "web", 80);
    await stage.until(() => heard.entries.size === 1, "it has heard of it");
    const { revision } = heard;
    await stage.clock.advance(800);
    assert.ok(heard.settled < revision);
    await stage.until(() => heard.settled >= revision, "nobody is waited for any more", 500);
    stage.control.close("the test ends");
    other.control.close("the test ends");
  });

  test("does not wait for a node that is silent, nor for one whose link is gone", async () => {
    const stage = await stageOf(PERFECT);
    const { heard } = listen(stage);
    const [silent, gone] = [stage.dial("n2"), stage.dial("n3")];
    for (const { control } of [silent, gone]) control.watchNetwork(() => {}, new AbortController().signal);
    await stage.clock.advance(3_000);
    stage.directory().setSilent(new Set(["n2"]));
    gone.control.close("it ends");
    await stage.clock.advance(100);
    await put(stage.store, "web", 80);
    await stage.until(() => heard.entries.size === 1, "it has heard of it");
    await stage.until(() => heard.settled >= heard.revision, "those who live have it", 200);
    stage.control.close("the test ends");
    silent.control.close("the test ends");
  });

  test("is known to a node that comes later, too", async () => {
    const stage = await stageOf(PERFECT);
    const { heard } = listen(stage);
    await put(stage.store, "web", 80);
    await stage.until(() => heard.revision > 0 && heard.settled >= heard.revision, "the first node has it");
    const late = stage.dial("n2");
    const second = new Heard();
    late.control.watchNetwork((news) => second.take(news), new AbortController().signal);
    await stage.until(() => second.settled >= heard.revision, "it hears what was settled before");
    stage.control.close("the test ends");
    late.control.close("the test ends");
  });
});

describe("a control plane that has just begun", () => {
  test("calls nothing settled before those it has not heard yet had a second for it", async () => {
    const stage = await stageOf(PERFECT);
    const { heard } = listen(stage);
    await put(stage.store, "web", 80);
    await stage.until(() => heard.entries.size === 1, "it has heard of it", 500);
    assert.ok(heard.settled < heard.revision);
    await stage.until(() => heard.settled >= heard.revision, "it is settled", 1_500);
    stage.control.close("the test ends");
  });
});

describe("versions that differ", () => {
  test("a control plane that tells nothing of the network is not asked for it, and its link stays", async () => {
    const stage = await remoteStage(PERFECT);
    const { heard } = listen(stage);
    stage.control.watchPods("n1", () => {}, new AbortController().signal);
    stage.control.networkApplied(7);
    await stage.clock.advance(60_000);
    assert.equal(heard.news.length, 0);
    assert.equal(stage.wire.links, 1);
    assert.deepEqual(stage.warnings, []);
    stage.control.close("the test ends");
  });

  test("an agent that does not ask for it is told nothing of it, and holds nobody up", async () => {
    const stage = await stageOf(PERFECT);
    const { heard } = listen(stage);
    const old = stage.dial("n2");
    old.control.watchPods("n2", () => {}, new AbortController().signal);
    await stage.clock.advance(3_000);
    await put(stage.store, "web", 80);
    await stage.until(() => heard.entries.size === 1 && heard.settled >= heard.revision, "it is settled", 500);
    stage.control.close("the test ends");
    old.control.close("the test ends");
  });
});
