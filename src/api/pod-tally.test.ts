import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withDisruption } from "../model/disruption.ts";
import { keyOf } from "../model/meta.ts";
import { type Pod, pods } from "../model/pod.ts";
import { testPod } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { PodTally } from "./pod-tally.ts";

async function stage(historyLimit = 1000) {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("tally"), silentLog];
  const store = await Store.open({ kinds: [pods], journal: new MemoryJournal(), clock, random, log, historyLimit });
  const tally = new PodTally({ store, clock, log });
  const add = (...names: readonly string[]) =>
    store.update((tx) => {
      for (const name of names) {
        const { metadata, ...pod } = testPod({ name, cpu: "500m", spec: { nodeName: "n1" } });
        tx.create<Pod>(pods, { ...pod, metadata: { name: metadata.name, namespace: metadata.namespace ?? "" } } as Pod);
      }
    });
  const change = (name: string, changed: (pod: Pod) => Pod) =>
    store.update((tx) => {
      const pod = tx.get(pods, `default/${name}`);
      assert.ok(pod);
      tx.update(pods, changed(pod));
    });
  const remove = (name: string) => store.update((tx) => tx.remove(pods, `default/${name}`));
  const read = async () => {
    await tally.upToDate();
    const phases = Object.fromEntries([...tally.phases].filter(([, count]) => count > 0));
    return { phases, n1: tally.onNode("n1"), moves: Object.fromEntries(tally.moves) };
  };
  return { store, clock, tally, add, change, remove, read };
}

const running = (pod: Pod): Pod => ({ ...pod, status: { ...pod.status, phase: "Running" } });
const ended = (pod: Pod): Pod => ({ ...pod, status: { ...pod.status, phase: "Succeeded" } });
const drained = (pod: Pod): Pod => withDisruption(pod, "Drain", "n1 is drained", 0);

describe("pods are tallied", () => {
  test("as they are, and then as they change: by phase, and by what they ask for on their node", async () => {
    const { add, change, remove, read } = await stage();
    await add("a", "b", "c");
    assert.deepEqual((await read()).phases, { Pending: 3 });
    await change("a", running);
    await change("b", ended);
    const { phases, n1 } = await read();
    assert.deepEqual(phases, { Running: 1, Succeeded: 1, Pending: 1 });
    assert.deepEqual([n1.pods, n1.cpuMillis], [2, 1000], "what has ended asks for nothing");
    await remove("a");
    await remove("c");
    assert.deepEqual((await read()).n1, { pods: 0, cpuMillis: 0, memoryBytes: 0 });
  });

  test("without listing them again for every question", async () => {
    const { store, add, read } = await stage();
    await add("a");
    await read();
    let scans = 0;
    const scan = store.scan.bind(store);
    store.scan = (kind) => {
      scans++;
      return scan(kind);
    };
    for (const name of ["b", "c", "d"]) {
      await add(name);
      await read();
    }
    assert.equal(scans, 0);
    assert.deepEqual((await read()).phases, { Pending: 4 });
  });

  test("anew when more has changed at once than the store remembers", async () => {
    const { store, add, read, remove } = await stage(5);
    await add("a", "b");
    assert.deepEqual((await read()).phases, { Pending: 2 });
    await store.update((tx) => {
      for (const pod of tx.list(pods)) tx.update(pods, running(pod));
    });
    // Written together: a watcher has no turn in between.
    const many = Array.from({ length: 40 }, (_, at) => `m${at}`);
    await Promise.all([...many.map((name) => add(name)), remove("a")]);
    assert.deepEqual((await read()).phases, { Pending: 40, Running: 1 });
    await add("late");
    assert.deepEqual((await read()).phases, { Pending: 41, Running: 1 }, "and followed again from there");
    assert.equal(keyOf(store.list(pods)[0] as Pod), "default/b");
  });

  test("moves are counted also before anybody asks, once for each pod", async () => {
    const { clock, add, change, read } = await stage();
    await add("a", "b");
    await change("a", drained);
    await change("a", (pod) => running(pod));
    await clock.settle();
    assert.deepEqual((await read()).moves, { Drain: 1 });
  });

  test("a store that has closed is answered of from what was counted", async () => {
    const { store, clock, add, read } = await stage();
    await add("a");
    await read();
    await store.close();
    await clock.settle();
    assert.deepEqual((await read()).phases, { Pending: 1 });
  });
});
