/** A store moves to another engine as a whole, or not at all; and whoever is interrupted runs the same command again. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { keepPlace, readPlace } from "../../src/app/instance.ts";
import { migrate } from "../../src/app/migrate/migrate.ts";
import type { StoreSurroundings } from "../../src/app/migrate/opened-store.ts";
import { openEtcd } from "../../src/app/server/open-etcd.ts";
import { allKinds, sealJournal } from "../../src/app/server/seal-journal.ts";
import type { StorePlace } from "../../src/app/store-place.ts";
import { configMaps } from "../../src/model/config-map.ts";
import { secrets } from "../../src/model/secret.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { JournalRefusal, type SharedJournal } from "../../src/store/journal.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";
import { Store } from "../../src/store/store.ts";
import { canRunEtcd, startEtcd } from "../harness/etcd.ts";

const scratch = mkdtempSync(join(tmpdir(), "styr-migrate-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
const SQLITE_PLACE: StorePlace = { url: "sqlite" };
const ETCD_PLACE: StorePlace = { url: "etcd://127.0.0.1:2379" };
const MOST = 400;

/** A state directory whose server has stopped, with secrets and others in its store. */
async function stopped() {
  const stateDir = mkdtempSync(join(scratch, "state-"));
  const place = { network: "n", cgroup: "c", podRange: "10.42.0.0/24", dockerHost: "unix:///none" };
  await keepPlace(stateDir, place, parts.random);
  const store = await openStore(stateDir, await SqliteJournal.open(join(stateDir, "store.db")));
  await store.update((tx) => {
    for (let n = 0; n < MOST; n++) {
      const metadata = { namespace: "default", name: `o${n}` };
      tx.create(configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { n: String(n) } });
    }
    const metadata = { namespace: "default", name: "db" };
    tx.create(secrets, { apiVersion: "v1", kind: "Secret", metadata, data: { p: "aHVudGVyMg==" } });
  });
  await store.update((tx) => tx.remove(configMaps, "default/o7"));
  const { revision } = store;
  await store.close();
  return { stateDir, revision };
}

async function openStore(stateDir: string, journal: SqliteJournal | SharedJournal): Promise<Store> {
  const sealed = sealJournal(journal, { stateDir }, parts);
  return Store.open({ ...parts, kinds: allKinds(), journal: sealed });
}

function around(stateDir: string, open: () => Promise<SharedJournal>): StoreSurroundings {
  return { ...parts, stateDir, version: "test", openEtcd: open };
}

const move = (stateDir: string, to: StorePlace, open: () => Promise<SharedJournal>) =>
  migrate({ to, socketPath: join(stateDir, "styr.sock"), around: around(stateDir, open), progress: () => {} });

/** What is in it, as a server that starts would see it. */
async function seen(stateDir: string, journal: SqliteJournal | SharedJournal) {
  const sealed = sealJournal(journal, { stateDir }, parts);
  const { revision, rows } = await sealed.load();
  await sealed.close();
  const known = rows.filter(({ kind }) => kind !== "Keyring").map(({ kind, key, json }) => `${kind} ${key} ${json}`);
  return { revision, rows: known.toSorted() };
}

/** Breaks at the given append, as a process that is killed there. */
function breaking(journal: SharedJournal, atAppend: number): SharedJournal {
  let appends = 0;
  const append = async (...args: Parameters<SharedJournal["append"]>) => {
    if (++appends === atAppend) throw new Error("killed here");
    return journal.append(...args);
  };
  return new Proxy(journal, {
    get: (target, name) => {
      if (name === "append") return append;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("store migrate", () => {
  test("to a shared store and back: every object with its revision, and secrets open", async () => {
    const { stateDir, revision } = await stopped();
    const before = await seen(stateDir, await SqliteJournal.open(join(stateDir, "store.db")));
    const shared = new SharedMemory(parts.clock);
    const report = await move(stateDir, ETCD_PLACE, async () => shared.open());
    assert.match(report.oldStore, /^rm .*store\.db\.before-/);
    assert.equal(existsSync(join(stateDir, "store.db")), false);
    assert.deepEqual((await readPlace(stateDir))?.store, ETCD_PLACE);
    const there = await seen(stateDir, shared.open());
    assert.deepEqual(there.rows, before.rows);
    assert.equal(there.revision, revision + 1);

    const back = await move(stateDir, SQLITE_PLACE, async () => shared.open());
    assert.match(back.oldStore, /etcdctl --endpoints=http:\/\/127\.0\.0\.1:2379 del --prefix \/styrmann\/$/);
    await assert.rejects(seen(stateDir, shared.open()), /this store was moved to sqlite .*, and what is here is old/);
    const again = await seen(stateDir, await SqliteJournal.open(join(stateDir, "store.db")));
    assert.deepEqual(again.rows, before.rows);
    assert.deepEqual((await readPlace(stateDir))?.store, SQLITE_PLACE);
  });

  test("interrupted anywhere, it leaves the old store in its place, and the same command finishes", async () => {
    const { stateDir } = await stopped();
    const before = await seen(stateDir, await SqliteJournal.open(join(stateDir, "store.db")));
    const shared = new SharedMemory(parts.clock);
    for (const atAppend of [1, 2, 4]) {
      await assert.rejects(
        move(stateDir, ETCD_PLACE, async () => breaking(shared.open(), atAppend)),
        /killed here/,
      );
      assert.equal((await readPlace(stateDir))?.store, undefined);
      assert.deepEqual(await seen(stateDir, await SqliteJournal.open(join(stateDir, "store.db"))), before);
      if (shared.contents().rows.length > 0)
        await assert.rejects(seen(stateDir, shared.open()), (error: Error) => {
          assert.ok(error instanceof JournalRefusal);
          return /did not come to its end: run the same/.test(error.message);
        });
    }
    await move(stateDir, ETCD_PLACE, async () => shared.open());
    const values = (rows: readonly string[]) => rows.map((row) => row.replace(/"resourceVersion":"\d+"/, ""));
    assert.deepEqual(values((await seen(stateDir, shared.open())).rows), values(before.rows));
  });

  test("interrupted by a person, it gives the leadership up at once, and says that the old store counts", async () => {
    const { stateDir } = await stopped();
    const shared = new SharedMemory(parts.clock);
    const stop = new AbortController();
    const progress = (rows: number) => rows > 0 && stop.abort();
    const open = around(stateDir, async () => shared.open());
    const options = { to: ETCD_PLACE, socketPath: join(stateDir, "styr.sock") };
    await assert.rejects(
      migrate({ ...options, around: { ...open, interrupted: stop.signal }, progress }),
      /^CopyRefusal: interrupted: what there was before is untouched/,
    );
    assert.equal(shared.leader, undefined, "the same command finds nobody leading");
    assert.equal((await readPlace(stateDir))?.store, undefined);
    await move(stateDir, ETCD_PLACE, async () => shared.open());
  });

  test("waits for the lease of an earlier attempt that was killed, and takes nobody for a server", async () => {
    const { stateDir } = await stopped();
    const shared = new SharedMemory(parts.clock);
    const killed = shared.open();
    await killed.load();
    killed.follow({ batch: () => {}, lost: () => {} });
    await killed.campaign({ name: "styr-store on h1", url: "", version: "1" }, new AbortController().signal);
    const lease = setTimeout(() => shared.depose("its lease ran out"), 300);
    await move(stateDir, ETCD_PLACE, async () => shared.open());
    clearTimeout(lease);
    assert.deepEqual((await readPlace(stateDir))?.store, ETCD_PLACE);
  });

  test("is refused while somebody leads there, into a store that is not empty, and to where it is already", async () => {
    const { stateDir } = await stopped();
    const shared = new SharedMemory(parts.clock);
    const other = shared.open();
    await other.load();
    other.follow({ batch: () => {}, lost: () => {} });
    const me = { name: "s1", url: "https://s1:7443", version: "1" };
    const leadership = await other.campaign(me, new AbortController().signal);
    await assert.rejects(
      move(stateDir, ETCD_PLACE, async () => shared.open()),
      /in use: server "s1" .*leads there\. Stop every server/,
    );
    await leadership.resign();
    await other.close();
    await move(stateDir, ETCD_PLACE, async () => shared.open());
    await assert.rejects(
      move(stateDir, ETCD_PLACE, async () => shared.open()),
      /is etcd:\/\/127\.0\.0\.1:2379 already/,
    );

    const second = await stopped();
    await assert.rejects(
      move(second.stateDir, ETCD_PLACE, async () => shared.open()),
      /is not empty: it holds \d+ objects/,
    );
    assert.ok(existsSync(join(second.stateDir, "store.db")));
    assert.deepEqual(
      readdirSync(second.stateDir).filter((name) => name.endsWith(".new")),
      [],
    );
  });

  const cannot = canRunEtcd();
  test("to a real etcd and back", { skip: cannot ?? false }, async () => {
    const etcd = await startEtcd();
    try {
      const place: StorePlace = { url: `etcd://${etcd.endpoints.map((url) => new URL(url).host).join(",")}` };
      const open = () => openEtcd(parts, place);
      const { stateDir } = await stopped();
      const before = await seen(stateDir, await SqliteJournal.open(join(stateDir, "store.db")));
      await move(stateDir, place, open);
      const raw = await etcd.ctl("get", "--prefix", "/styrmann/", "--print-value-only");
      assert.equal(raw.includes("aHVudGVyMg=="), false, "no secret lies there in clear");
      assert.deepEqual((await seen(stateDir, await open())).rows, before.rows);
      await move(stateDir, SQLITE_PLACE, open);
      const again = await seen(stateDir, await SqliteJournal.open(join(stateDir, "store.db")));
      assert.deepEqual(again.rows, before.rows);
    } finally {
      etcd.stop();
    }
  });
});
