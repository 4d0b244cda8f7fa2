/** Stores on etcd whose connections are reset, half closed, silenced and lied to at any moment: nothing ends the process, and all go on afterwards. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kernelKinds } from "../../../src/model/kinds.ts";
import { namespaces } from "../../../src/model/namespace.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { EtcdJournal } from "../../../src/store/journals/etcd/etcd-journal.ts";
import type { ChannelTls } from "../../../src/store/journals/etcd/rpc/grpc-channel.ts";
import { Store } from "../../../src/store/store.ts";
import { whatWentAstray } from "../../harness/astray.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { FAULTS, type FaultProxy, startFaultProxy } from "../../harness/fault-proxy.ts";
import { makeCertificates } from "./make-certificates.ts";
import { until } from "./until.ts";

const ROUNDS = Number(process.env.STYR_FAULT_ROUNDS ?? 150);
const SEED = process.env.STYR_FAULT_SEED ?? String(process.pid);
const skip = canRunEtcd() ?? false;

/** Where the journals reach etcd. */
interface Way {
  readonly endpoints: readonly string[];
  readonly tls?: ChannelTls;
}

/** One server's store, opened anew as often as it can no longer be followed, and leading whenever it may. */
class Life {
  store: Store | undefined;
  readonly ended: Promise<void>;
  readonly #name: string;
  readonly #way: Way;
  readonly #stopping = new AbortController();

  constructor(name: string, way: Way) {
    this.#name = name;
    this.#way = way;
    this.ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the test is over"));
    await this.ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const options = { ...this.#way, clock: new SystemClock(), log: silentLog, ttlMs: 600, patienceMs: 500 };
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

for (const scheme of ["http", "https"] as const) {
  describe(`stores whose connections to etcd (${scheme}) are harmed at any moment`, { skip }, () => {
    let etcd: Etcd;
    let way: Way;
    let scratch: string;
    let proxies: readonly FaultProxy[] = [];
    before(async () => {
      scratch = mkdtempSync(join(tmpdir(), "styr-faults-"));
      const files = scheme === "https" ? makeCertificates(scratch, "etcd") : undefined;
      etcd = await startEtcd({ members: 3, ...(files ? { tls: { ...files, ask: true } } : {}) });
      proxies = await Promise.all(etcd.endpoints.map((endpoint) => startFaultProxy(Number(new URL(endpoint).port))));
      const endpoints = proxies.map(({ port }) => `${scheme}://127.0.0.1:${port}`);
      const pem = (file: string) => readFileSync(file, "utf8");
      way = { endpoints, ...(files ? { tls: { ca: pem(files.ca), cert: pem(files.cert), key: pem(files.key) } } : {}) };
    });
    after(async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      etcd?.stop();
      rmSync(scratch, { recursive: true, force: true });
    });

    test(`end nothing, and go on (seed ${SEED})`, { timeout: 240_000 }, async () => {
      const random = new SeededRandom(SEED);
      const astray = whatWentAstray();
      const lives = ["a", "b"].map((name) => new Life(name, way));
      await until(() => lives.some(({ store }) => (store?.revision ?? 0) > 0), "the first write");
      for (let round = 0; round < ROUNDS; round++) {
        proxies[random.int(proxies.length)]?.harm(FAULTS[random.int(FAULTS.length)] ?? "reset");
        const stands = random.int(20) === 0 ? etcd.members[random.int(3)] : undefined;
        stands?.freeze();
        await sleep(random.int(60));
        stands?.thaw();
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
}
