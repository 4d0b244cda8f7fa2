import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { type ConfigMap, configMaps } from "../model/config-map.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { OwnerReference } from "../model/meta.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { deleteObject } from "../store/delete-object.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { ControllerRunner } from "./runner.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function open() {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("gc"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const runner = new ControllerRunner({ store, controllers: [garbageCollector(kernelKinds)], clock, random, log });
  runner.start();
  cleanups.push(async () => {
    await runner.stop();
    await store.close();
  });
  const make = (name: string, more: Partial<ConfigMap["metadata"]> = {}) =>
    store.update((tx) =>
      tx.create<ConfigMap>(configMaps, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace: "default", ...more },
      }),
    );
  const foreground = (name: string) =>
    store.update((tx) => {
      const object = tx.get(configMaps, `default/${name}`);
      if (object) deleteObject(tx, configMaps, object, { propagation: "Foreground" });
    });
  const names = () => store.list(configMaps).map(({ metadata }) => metadata.name);
  return { store, clock, make, foreground, names };
}

/** One that somebody holds back with a finalizer of their own. */
const held = ["example.com/hold"];
const reference = (owner: ConfigMap, blockOwnerDeletion: boolean): OwnerReference => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  blockOwnerDeletion,
});

describe("deletion in the foreground", () => {
  test("waits for a dependent that blocks its owner's deletion, until that is gone", async () => {
    const { store, clock, make, foreground, names } = await open();
    const owner = await make("owner");
    await make("blocking", { ownerReferences: [reference(owner, true)], finalizers: held });
    await foreground("owner");
    await clock.advance(1000);
    assert.deepEqual(names(), ["blocking", "owner"]);
    await store.update((tx) => tx.remove(configMaps, "default/blocking"));
    await clock.advance(1000);
    assert.deepEqual(names(), []);
  });

  test("does not wait for a dependent that blocks nothing, though it asks it to go", async () => {
    const { store, clock, make, foreground, names } = await open();
    const owner = await make("owner");
    await make("slow", { ownerReferences: [reference(owner, false)], finalizers: held });
    await foreground("owner");
    await clock.advance(1000);
    assert.deepEqual(names(), ["slow"]);
    assert.notEqual(store.get(configMaps, "default/slow")?.metadata.deletionTimestamp, undefined);
  });
});
