/**
 * 1,000 watchers of pods through the Kubernetes API while 1,000 pods change per second: every change must reach every
 * watcher, and every version is serialised once, not once per watcher.
 */
import { mountApis } from "../src/http/mount.ts";
import { kernelKinds } from "../src/model/kinds.ts";
import { type Pod, pods } from "../src/model/pod.ts";
import { kubernetes } from "../src/personalities/kubernetes/index.ts";
import { testPod } from "../src/scheduling/test-objects.ts";
import { SystemClock } from "../src/seams/clock.ts";
import { silentLog } from "../src/seams/log.ts";
import { SystemRandom } from "../src/seams/random.ts";
import { MemoryJournal } from "../src/store/journals/memory.ts";
import { Store } from "../src/store/store.ts";
import { printTable } from "./lib/table.ts";

const PODS = 1000;
const CHANGES = 3000;
const PER_SECOND = 1000;
/** Changes made together, as an agent reports them. */
const TOGETHER = 20;

/** Counts how often each object is turned into text. */
class CountingStore {
  serialised = 0;
  readonly #original = JSON.stringify;

  begin(): void {
    const count = () => this.serialised++;
    const original = this.#original;
    JSON.stringify = function stringify(value: unknown, ...rest: unknown[]): string {
      if ((value as Pod | undefined)?.kind === "Pod") count();
      return (original as (...all: unknown[]) => string)(value, ...rest);
    } as typeof JSON.stringify;
  }

  end(): void {
    JSON.stringify = this.#original;
  }
}

async function measure(watchers: number): Promise<readonly (string | number)[]> {
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
  await store.update((tx) => {
    for (let at = 0; at < PODS; at++) tx.create<Pod>(pods, draft(at));
  });
  const mounted = mountApis([kubernetes.api({ store, ...parts, address: "127.0.0.1:7443", version: "0.0.0" })]);
  const stop = new AbortController();
  const last = Promise.withResolvers<void>();
  let [open, delivered] = [0, 0];
  const watch = async () => {
    const url = `http://styr/api/v1/pods?watch=true&resourceVersion=${store.revision}`;
    const connection = {
      actor: { name: "root", roles: ["admin" as const] },
      remoteAddress: "local",
      origin: "http://styr",
    };
    const response = await mounted.handle(new Request(url, { signal: stop.signal }), connection);
    if (!response.body) throw new Error("a watch without a body");
    open++;
    for await (const piece of response.body) {
      // Counted by line ends, so that the readers do not cost more than what is measured.
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) delivered++;
      if (delivered === CHANGES * watchers) last.resolve();
    }
  };
  const watching = Array.from({ length: watchers }, watch);
  while (open < watchers) await new Promise((resolve) => setImmediate(resolve));

  const counting = new CountingStore();
  const cpu = process.threadCpuUsage();
  const begun = performance.now();
  counting.begin();
  for (let made = 0; made < CHANGES; made += TOGETHER) {
    await store.update((tx) => {
      for (let at = made; at < made + TOGETHER; at++) touch(tx, at);
    });
    const dueMs = ((made + TOGETHER) / PER_SECOND) * 1000 - (performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs)));
  }
  const writtenMs = performance.now() - begun;
  await last.promise;
  counting.end();
  const tookMs = performance.now() - begun;
  const { user, system } = process.threadCpuUsage(cpu);
  stop.abort();
  await Promise.allSettled(watching);
  await store.close();
  return [
    watchers,
    Math.round(CHANGES / (writtenMs / 1000)),
    Math.round((CHANGES * watchers) / (tookMs / 1000)),
    (counting.serialised / CHANGES).toFixed(2),
    `${Math.round((user + system) / 10 / tookMs)} %`,
  ];
}

function touch(tx: Parameters<Parameters<Store["update"]>[0]>[0], at: number): void {
  const pod = tx.get(pods, `default/p${at % PODS}`);
  if (pod) tx.update(pods, { ...pod, status: { ...pod.status, message: `change ${at}` } });
}

function draft(at: number) {
  const { metadata, ...pod } = testPod({ name: `p${at}`, app: "web", cpu: "100m", memory: "64Mi" });
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...rest } = metadata;
  return { ...pod, metadata: rest };
}

export async function benchWatch(): Promise<void> {
  const rows = [];
  for (const watchers of [1, 100, 1000]) rows.push(await measure(watchers));
  const columns = ["watchers", "changes/s", "lines delivered/s", "serialised per change", "CPU of the loop"];
  printTable(`Watches: ${PER_SECOND} changes per second asked for, in transactions of ${TOGETHER}`, columns, rows);
}

if (import.meta.main) await benchWatch();
