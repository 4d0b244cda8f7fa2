import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endpointSlices } from "../model/endpoint-slice.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { NetworkEntry, NodeEntry } from "../model/network.ts";
import { digestsText, SHELVES, shelfDigest, shelfOf } from "../model/network-shelves.ts";
import { type Service, services } from "../model/service.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { type Batch, Directory } from "./directory.ts";
import type { EntrySource } from "./entry-source.ts";
import { serviceSource } from "./service.ts";
import { PACKED, PLAIN } from "./shelf-view.ts";

const nodeEntry: NodeEntry = { kind: "node", id: "n1", address: "192.0.2.1" };
const fixedNode = (): EntrySource => ({
  name: "one node",
  kinds: [endpointSlices],
  begin: (_reader, sink) => sink.put(nodeEntry),
  changed: () => {},
});

async function opened(historyLimit = 1_000) {
  const clock = new ManualClock();
  const parts = { journal: new MemoryJournal(), clock, random: new SeededRandom(1), log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, ...parts, historyLimit });
  const directory = new Directory({ store, clock, log: silentLog, sources: () => [serviceSource(), fixedNode()] });
  const batches: Batch[] = [];
  const told = () => batches.map(({ changed }) => [...changed.keys()].sort().join(", "));
  const settled: number[] = [];
  const subscriber = {
    nodeName: "n1",
    changed: (batch: Batch) => void batches.push(batch),
    settled: (revision: number) => void settled.push(revision),
  };
  return { clock, store, directory, told, settled, subscriber };
}

function put(store: Store, name: string, port: number, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  return store.update((tx) => {
    const before = tx.get(services, `default/${name}`);
    const spec = { clusterIP: "10.43.0.10", ports: [{ port }] };
    const metadata = { ...before?.metadata, name, namespace: "default", labels };
    if (before) tx.update<Service>(services, { ...before, metadata: { ...before.metadata, labels }, spec });
    else tx.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata, spec, status: {} });
  });
}

describe("the directory", () => {
  test("tells one change without delay, and those that come soon after it together", async () => {
    const { clock, store, directory, told, subscriber } = await opened();
    directory.start();
    directory.subscribe(subscriber);
    await clock.advance(100);
    await put(store, "a", 1);
    await clock.settle();
    assert.deepEqual(told(), ["service default/a"]);
    await put(store, "b", 1);
    await put(store, "c", 1);
    await clock.advance(10);
    assert.deepEqual(told(), ["service default/a", "service default/b, service default/c"]);
    directory.stop();
  });

  test("says nothing of a change that nodes need not know of", async () => {
    const { clock, store, directory, told, subscriber } = await opened();
    await put(store, "a", 1);
    directory.start();
    directory.subscribe(subscriber);
    await put(store, "a", 1, { team: "blue" });
    await clock.advance(100);
    assert.deepEqual(told(), []);
    directory.stop();
  });

  test("makes the text of an entry once, however many hear it", async () => {
    const { store, directory, clock, subscriber } = await opened();
    directory.start();
    const texts: (string | undefined)[] = [];
    const hear = {
      ...subscriber,
      changed: (batch: Batch) => void texts.push(directory.piecesOf(batch, "n1")?.[0]?.text),
    };
    for (let at = 0; at < 3; at++) directory.subscribe({ ...hear });
    await clock.advance(100);
    await put(store, "a", 1);
    await clock.advance(100);
    assert.equal(texts.length, 3);
    assert.equal(new Set(texts).size, 1);
    assert.deepEqual(JSON.parse(`[${texts[0]}]`)[0][0].id, "default/a");
    directory.stop();
  });

  test("after it missed changes it tells what is different, and no more", async () => {
    const { clock, store, directory, told, subscriber } = await opened(5);
    for (const name of ["a", "b", "c"]) await put(store, name, 1);
    directory.start();
    directory.subscribe(subscriber);
    await clock.advance(100);
    // More changes in one breath than the store remembers.
    const many = store.update((tx) => {
      for (let at = 0; at < 20; at++) {
        const spec = { clusterIP: "10.43.0.9", ports: [{ port: at + 1 }] };
        const before = tx.get(services, "default/a");
        if (before) tx.update<Service>(services, { ...before, spec });
      }
      tx.remove(services, "default/b");
    });
    await many;
    await clock.advance(100);
    assert.deepEqual(told(), ["service default/a, service default/b"]);
    assert.equal(directory.get("service default/b"), undefined);
    directory.stop();
  });

  test("a source that meets a bug takes nothing from the others, nor one object from the rest", async () => {
    const { clock, store } = await opened();
    const errors: string[] = [];
    const log = { ...silentLog, error: (message: string) => void errors.push(message) };
    const picky: EntrySource = {
      ...{ name: "picky", kinds: [services] },
      begin: () => assert.fail("it cannot even begin"),
      changed: (changes, _reader, sink) => {
        for (const { object } of changes) {
          if (object.metadata.name === "bad") throw new Error("a bad one");
          sink.put({ kind: "names", id: object.metadata.name, records: [] });
        }
      },
    };
    const directory = new Directory({ store, clock, log, sources: () => [picky, serviceSource()] });
    directory.start();
    await store.update((tx) => {
      for (const name of ["good", "bad", "fine"]) {
        const metadata = { name, namespace: "default" };
        tx.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata, spec: {}, status: {} });
      }
    });
    await clock.advance(100);
    const held = ["names good", "names fine", "service default/bad"].map((key) => directory.get(key)?.entry.id);
    assert.deepEqual(held, ["good", "fine", "default/bad"]);
    assert.ok(errors.length > 0);
    directory.stop();
  });

  test("marks the entry of a node that is silent, and takes the mark away", async () => {
    const { clock, directory, told, subscriber } = await opened();
    directory.start();
    directory.subscribe(subscriber);
    await clock.advance(100);
    directory.setSilent(new Set(["n1", "n9"]));
    await clock.advance(100);
    assert.deepEqual(directory.get("node n1")?.entry, { ...nodeEntry, isSilent: true });
    directory.setSilent(new Set());
    await clock.advance(100);
    assert.deepEqual(directory.get("node n1")?.entry, nodeEntry);
    assert.deepEqual(told(), ["node n1", "node n1"]);
    directory.stop();
  });

  test("what lies ready for who comes is followed by what changed since", async () => {
    const { clock, store, directory } = await opened();
    await put(store, "a", 1);
    directory.start();
    const first = directory.snapshot();
    await put(store, "a", 2);
    await clock.advance(100);
    const second = directory.snapshot();
    assert.equal(second.parts, first.parts, "it is not made anew for one change");
    assert.deepEqual([...second.changed.keys()], ["service default/a"]);
    await clock.advance(60_000);
    assert.notEqual(directory.snapshot().parts, first.parts, "it does not lie there for ever");
    directory.stop();
  });
});

/** As an agent makes them (network/plane/held-shelves.ts). */
function digestsFor(entries: readonly NetworkEntry[]): readonly Uint8Array[] {
  const onShelf = (shelf: number) => entries.filter(({ kind, id }) => shelfOf(kind, id) === shelf);
  return Array.from({ length: SHELVES }, (_, shelf) =>
    shelfDigest(onShelf(shelf).map((entry) => [`${entry.kind} ${entry.id}`, JSON.stringify(entry)] as const)),
  );
}

describe("digests of what the directory has", () => {
  test("are those that an agent makes of what it was told, and change with it", async () => {
    const { clock, store, directory } = await opened();
    for (let at = 0; at < 300; at++) await put(store, `web-${at}`, 1);
    directory.start();
    const has = () => digestsText(digestsFor(directory.everything("n1").entries));
    const before = has();
    const same = directory.snapshot("n1", PLAIN, before);
    assert.deepEqual([same.parts.length, same.kept?.size], [0, SHELVES]);
    await put(store, "web-7", 2);
    await clock.advance(100);
    const other = directory.snapshot("n1", PLAIN, before);
    assert.deepEqual([other.parts.length, other.kept?.size], [1, SHELVES - 1]);
    assert.ok(other.parts[0]?.text.includes('"default/web-7"'));
    assert.equal(directory.snapshot("n1", PLAIN, has()).parts.length, 0);
    directory.stop();
  });

  test("of somebody who has little of it are no use: everything is told", async () => {
    const { store, directory } = await opened();
    for (let at = 0; at < 1_500; at++) await put(store, `web-${at}`, 1);
    directory.start();
    const nothing = digestsText(digestsFor([]));
    const { kept, parts } = directory.snapshot("n1", PLAIN, nothing);
    assert.equal(kept, undefined);
    assert.deepEqual(parts, directory.snapshot("n1").parts);
    directory.stop();
  });
});

test("what was packed lies ready until something on its shelves changes, and only that is packed anew", async () => {
  let packed = 0;
  const pack = async (text: string) => {
    packed++;
    return `packed ${text.length}`;
  };
  const { clock, store } = await opened();
  for (let at = 0; at < 4_000; at++) await put(store, `a-service-with-a-name-${at}`, 1);
  const directory = new Directory({ store, clock, log: silentLog, sources: () => [serviceSource()], pack });
  directory.start();
  const ask = async () => {
    const { parts } = directory.snapshot("n1", PACKED);
    await Promise.all(parts.map((part) => part.packing()));
    return parts.length;
  };
  const frames = await ask();
  assert.ok(frames > 1);
  assert.equal(packed, frames);
  for (let at = 0; at < 3; at++) {
    await clock.advance(60_000);
    await ask();
  }
  assert.equal(packed, frames, "nothing has changed");
  await put(store, "a-service-with-a-name-7", 2);
  await clock.advance(60_000);
  await ask();
  assert.equal(packed, frames + 1);
  directory.stop();
});
