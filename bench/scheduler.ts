/** Pods bound per second by the scheduler alone: through the store, with a journal in memory. */
import { type Event, events } from "../src/model/event.ts";
import type { Draft, Kind, StoredObject } from "../src/model/meta.ts";
import { nodes } from "../src/model/node.ts";
import { pods } from "../src/model/pod.ts";
import { Scheduler } from "../src/scheduling/scheduler.ts";
import { testNode, testPod } from "../src/scheduling/test-objects.ts";
import { SystemClock } from "../src/seams/clock.ts";
import { silentLog } from "../src/seams/log.ts";
import { SystemRandom } from "../src/seams/random.ts";
import { MemoryJournal } from "../src/store/journals/memory.ts";
import { Store } from "../src/store/store.ts";
import { printTable } from "./lib/table.ts";

const NODES = 1000;
const PODS = 5000;
const FLOOR = 4000;

function draft<T extends StoredObject>(object: T): Draft<T> {
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Draft<T>;
}

async function createAll<T extends StoredObject>(store: Store, kind: Kind<T>, objects: readonly T[]): Promise<void> {
  await store.update((tx) => {
    for (const object of objects) tx.create<T>(kind, draft(object));
  });
}

async function boundPerSecond(
  dynamicPorts: boolean,
): Promise<{ readonly rate: number; readonly longestTurnMs: number }> {
  const [clock, random] = [new SystemClock(), new SystemRandom()];
  const kinds: readonly Kind[] = [pods, nodes, events] as unknown as readonly Kind[];
  const store = await Store.open({ kinds, journal: new MemoryJournal(), clock, random, log: silentLog });
  const names = Array.from({ length: NODES }, (_, at) => `n${String(at).padStart(4, "0")}`);
  await createAll(
    store,
    nodes,
    names.map((name) => testNode({ name, cpu: "32", memory: "128Gi" })),
  );
  const scheduler = new Scheduler({ store, clock, random, log: silentLog });
  scheduler.start();
  const ports = dynamicPorts ? [{ containerPort: 80, name: "web", dynamicHostPort: true }] : [];
  const wanted = Array.from({ length: PODS }, (_, at) =>
    testPod({ name: `p${at}`, app: `app-${at % 50}`, owner: `app-${at % 50}`, cpu: "100m", memory: "64Mi", ports }),
  );
  await createAll(store, pods, wanted);
  const started = performance.now();
  let longestTurnMs = 0;
  for (let turn = started; scheduler.pendingCount > 0 || store.by(pods, "node", "").length > 0; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    longestTurnMs = Math.max(longestTurnMs, now - turn);
    turn = now;
  }
  const rate = PODS / ((performance.now() - started) / 1000);
  await scheduler.stop();
  if (store.count(events as unknown as Kind<Event>) !== PODS) throw new Error("not every binding has its event");
  await store.close();
  return { rate, longestTurnMs };
}

await boundPerSecond(false);
const rows = [];
for (const dynamicPorts of [false, true]) {
  const { rate, longestTurnMs } = await boundPerSecond(dynamicPorts);
  const what = dynamicPorts ? "with a dynamic host port" : "plain copies of 50 workloads";
  rows.push([what, NODES, PODS, Math.round(rate), longestTurnMs.toFixed(1), FLOOR]);
}
const columns = ["bound per second", "nodes", "pods", "pods/s", "longest turn, ms", "floor"];
printTable("Scheduler through the store, one core", columns, rows);
