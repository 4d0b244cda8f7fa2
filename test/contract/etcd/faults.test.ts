/** Stores on etcd whose connections are reset, half closed, silenced and lied to at any moment: nothing ends the process, and all of them agree afterwards. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kernelKinds } from "../../../src/model/kinds.ts";
import { namespaces } from "../../../src/model/namespace.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { EtcdJournal } from "../../../src/store/journals/etcd/etcd-journal.ts";
import { Store } from "../../../src/store/store.ts";
import { whatWentAstray } from "../../harness/astray.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { FAULTS, type FaultProxy, startFaultProxy } from "../../harness/fault-proxy.ts";
import { until } from "./until.ts";

const ROUNDS = Number(process.env.STYR_FAULT_ROUNDS ?? 300);
const SEED = process.env.STYR_FAULT_SEED ?? String(process.pid);
const skip = canRunEtcd() ?? false;

let etcd: Etcd;
let proxies: readonly FaultProxy[] = [];
before(async () => {
  if (skip) return;
  etcd = await startEtcd({ members: 3 });
  proxies = await Promise.all(etcd.endpoints.map((endpoint) => startFaultProxy(Number(new URL(endpoint).port))));
});
after(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  etcd?.stop();
});

/** One server's store, opened anew as often as it can no longer be followed, and leading whenever it may. */
class Life {
  store: Store | undefined;
  readonly ended: Promise<void>;
  readonly #name: string;
  readonly #stopping = new AbortController();

  constructor(name: string) {
    this.#name = name;
    this.ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the test is over"));
    await this.ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const endpoints = proxies.map(({ port }) => `http://127.0.0.1:${port}`);
      const options = { endpoints, clock: new SystemClock(), log: silentLog, ttlMs: 600, patienceMs: 500 };
      const journal = await EtcdJournal.open(options).catch(() => undefined);
      if (!journal) continue;
      const lost = new AbortController();
      const common = { kinds: kernelKinds, journal, clock: options.clock, random: new SeededRandom(this.#name) };
      const onLost = () => lost.abort(new Error("it can no longer be followed"));
      const store = await Store.openFollowing({ ...common, log: silentLog, onLost }).catch(() => undefined);
      if (!store) {
        await journal.close();
        continue;
      }
      this.store = store;
      await this.#live(store, journal, AbortSignal.any([this.#stopping.signal, lost.signal]));
      await store.close();
    }
  }

  async #live(store: Store, journal: EtcdJournal, ending: AbortSignal): Promise<void> {
    const me = { name: this.#name, url: `https://${this.#name}`, version: "0.1.0" };
    while (!ending.aborted) {
      const leadership = await journal.campaign(me, ending).catch(() => undefined);
      if (!leadership || ending.aborted) {
        await leadership?.resign();
        await sleep(20);
        continue;
      }
      store.lead(leadership);
      for (let n = 0; !leadership.lost.aborted && !ending.aborted; n++) {
        const update = write(store, `${this.#name}-${n % 20}`, n).catch(() => undefined);
        await Promise.race([update, sleep(5)]);
      }
      await leadership.resign();
    }
  }
}

function write(store: Store, name: string, n: number): Promise<unknown> {
  const large = n % 17 === 0 ? "x".repeat(30_000) : "";
  return store.update((tx) => {
    const known = tx.get(namespaces, name);
    if (known) tx.remove(namespaces, name);
    else tx.create(namespaces, { metadata: { name, annotations: { large } }, spec: {}, status: {} } as never);
  });
}

describe("stores whose connections to etcd are harmed at any moment", { skip }, () => {
  test(`end nothing, and agree afterwards (seed ${SEED})`, { timeout: 240_000 }, async () => {
    const random = new SeededRandom(SEED);
    const astray = whatWentAstray();
    const lives = ["a", "b"].map((name) => new Life(name));
    await until(() => lives.some(({ store }) => (store?.revision ?? 0) > 0), "the first write");
    for (let round = 0; round < ROUNDS; round++) {
      proxies[random.int(proxies.length)]?.harm(FAULTS[random.int(FAULTS.length)] ?? "reset");
      await sleep(random.int(60));
      if (random.int(3) === 0) for (const proxy of proxies) proxy.mend();
    }
    for (const proxy of proxies) proxy.mend();
    const before = Math.max(...lives.map(({ store }) => store?.revision ?? 0));
    const isAlive = () => lives.every(({ store }) => (store?.revision ?? 0) > before);
    await until(isAlive, "both go on", 20_000);
    await Promise.all(lives.map((life) => life.stop()));
    astray.stop();
    assert.deepEqual(astray.said, []);
  });
});
