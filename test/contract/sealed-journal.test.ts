/** Sealed kinds lie encrypted in any journal; what was changed, or cannot be opened, is refused in words and left alone. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import type { KeyringSpec } from "../../src/model/keyring.ts";
import { kernelKinds } from "../../src/model/kinds.ts";
import { type Secret, secrets } from "../../src/model/secret.ts";
import { users } from "../../src/model/user.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { ManualClock } from "../../src/seams/manual-clock.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import { type Journal, JournalRefusal } from "../../src/store/journal.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";
import { FileMasterKeys } from "../../src/store/sealed/file-master-keys.ts";
import { type MasterKey, macOf } from "../../src/store/sealed/master-key.ts";
import { openSealed } from "../../src/store/sealed/open-sealed.ts";
import { keyringRow } from "../../src/store/sealed/sealed-journal.ts";
import { Sealing } from "../../src/store/sealed/sealing.ts";
import { Store } from "../../src/store/store.ts";

const scratch = mkdtempSync(join(tmpdir(), "styr-sealed-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const newDir = () => mkdtempSync(join(scratch, "pki-"));
const keysIn = (dir: string, given = {}) => new FileMasterKeys({ usual: join(dir, "master.key"), given });

/** A store over a journal, as a server opens it. */
async function opened(journal: Journal, keys: FileMasterKeys, clock = new ManualClock()) {
  const around = { clock, random: new SeededRandom("sealed") };
  const sealed = openSealed(journal, kernelKinds, keys, around);
  const store = await Store.open({ kinds: kernelKinds, journal: sealed, ...around, log: silentLog });
  const sealing = new Sealing({
    store,
    vault: sealed.vault,
    kinds: kernelKinds,
    clock,
    log: silentLog,
    scrub: () => sealed.scrub(),
  });
  return { store, sealing, clock, vault: sealed.vault };
}

type Opened = Awaited<ReturnType<typeof opened>>;

const secret = (name: string, value: string) => ({
  apiVersion: "v1",
  kind: "Secret" as const,
  metadata: { namespace: "default", name },
  data: { password: Buffer.from(value).toString("base64") },
});
const create = (store: Store, name: string, value: string) =>
  store.update((tx) => tx.create<Secret>(secrets, secret(name, value)));
const readBack = (store: Store, name: string) =>
  Buffer.from(store.get(secrets, `default/${name}`)?.data?.password ?? "", "base64").toString();

/** Runs the clock until nothing is left to do. */
async function resealed({ sealing, clock, vault }: Opened): Promise<void> {
  for (let n = 0; n < 2_000; n++) {
    await clock.advance(25);
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (vault.isSettled && vault.state?.spec.dataKeys.length === 1 && vault.isComplete) return;
  }
  assert.fail(`not all is sealed anew: ${JSON.stringify(sealing.report())}`);
}

const rowOf = async (journal: Journal, kind: string, key: string) =>
  (await journal.load()).rows.find((row) => row.kind === kind && row.key === key);

const row = () => ({ revision: 1, at: "2026-01-01T00:00:00Z", uid: "u" });

/** As a program made it that sealed secrets and the CA alone. */
function asOfBefore({ completeKinds: _none, mac: _mac, ...spec }: KeyringSpec, master: MasterKey): KeyringSpec {
  const { about, bytes } = master;
  const fields = Object.entries(about).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const keys = spec.dataKeys.map(({ id, madeAt, wrapped }) => [id, madeAt, wrapped]);
  return { ...spec, mac: macOf(bytes, JSON.stringify([fields, keys, spec.primary, true])) };
}

const disks = {
  memory: () => {
    const journal = new MemoryJournal();
    return async (): Promise<Journal> => journal;
  },
  sqlite: () => {
    const file = join(mkdtempSync(join(scratch, "disk-")), "store.db");
    return async (): Promise<Journal> => SqliteJournal.open(file);
  },
};

for (const [name, disk] of Object.entries(disks)) {
  describe(`sealed journal on ${name}`, () => {
    test("secrets come back as they were after a reopen, and do not lie in clear", async () => {
      const open = disk();
      const dir = newDir();
      const first = await opened(await open(), keysIn(dir));
      await create(first.store, "db", "hunter2");
      await create(first.store, "gone", "x");
      await first.store.update((tx) => tx.remove(secrets, "default/gone"));
      await first.store.close();
      const raw = await open();
      const row = await rowOf(raw, "Secret", "default/db");
      assert.match(row?.json ?? "", /^\{"sealed":"v1"/);
      assert.equal(row?.json.includes(Buffer.from("hunter2").toString("base64")), false);
      await raw.close();
      const second = await opened(await open(), keysIn(dir));
      assert.equal(readBack(second.store, "db"), "hunter2");
      assert.equal(second.store.get(secrets, "default/gone"), undefined);
      assert.equal(second.sealing.report().rows, 1);
      await second.store.close();
    });

    test("rows of a version that did not seal are read, and sealed at the first chance", async () => {
      const open = disk();
      const before = await open();
      const plain = await Store.open({
        ...{ kinds: kernelKinds, journal: before, clock: new ManualClock() },
        ...{ random: new SeededRandom("plain"), log: silentLog },
      });
      for (let n = 0; n < 120; n++) await create(plain, `s${n}`, `value ${n}`);
      await plain.close();
      const now = await opened(await open(), keysIn(newDir()));
      assert.equal(now.sealing.report().clear, 120);
      now.sealing.resealer.start();
      await resealed(now);
      assert.equal(now.sealing.report().clear, 0);
      assert.equal(readBack(now.store, "s77"), "value 77");
      await now.sealing.resealer.stop();
      await now.store.close();
      const raw = await open();
      const { rows } = await raw.load();
      assert.deepEqual(
        rows.filter(({ kind, json }) => kind === "Secret" && !json.startsWith('{"sealed":')).map(({ key }) => key),
        [],
      );
      await raw.close();
    });

    test("a rotation seals everything with a new key, goes on after a restart, and drops the old key", async () => {
      const open = disk();
      const dir = newDir();
      const first = await opened(await open(), keysIn(dir));
      for (let n = 0; n < 130; n++) await create(first.store, `s${n}`, `value ${n}`);
      const [old] = first.sealing.report().keys;
      await first.sealing.rotate();
      first.sealing.resealer.start();
      await first.clock.advance(1);
      await first.sealing.resealer.stop();
      const midway = first.sealing.report();
      assert.equal(midway.keys.length, 2);
      assert.ok(
        midway.keys.every(({ rows }) => rows > 0 && rows < 130),
        "it is in the middle of it",
      );
      await first.store.close();

      const second = await opened(await open(), keysIn(dir));
      for (let n = 0; n < 130; n++) assert.equal(readBack(second.store, `s${n}`), `value ${n}`);
      second.sealing.resealer.start();
      await resealed(second);
      const { keys } = second.sealing.report();
      assert.deepEqual(
        keys.map(({ rows }) => rows),
        [130],
      );
      assert.notEqual(keys[0]?.id, old?.id);
      await second.sealing.resealer.stop();
      await second.store.close();
    });
  });
}

describe("sealed journal on sqlite", () => {
  test("what lay in clear in the files is not there any more once all is sealed, nor what was deleted", async () => {
    const dir = mkdtempSync(join(scratch, "disk-"));
    const file = join(dir, "store.db");
    const onDisk = (text: string) =>
      readdirSync(dir).filter((name) => readFileSync(join(dir, name)).includes(Buffer.from(text).toString("base64")));
    const plain = await Store.open({
      ...{ kinds: kernelKinds, journal: await SqliteJournal.open(file), clock: new ManualClock() },
      ...{ random: new SeededRandom("plain"), log: silentLog },
    });
    for (let n = 0; n < 60; n++) await create(plain, `s${n}`, `hunter2 and more ${"x".repeat(400)}`);
    // Longer than what is written later could cover.
    await create(plain, "gone", "swordfish and more".repeat(20_000));
    assert.notDeepEqual(onDisk("hunter2 and mor"), [], "it lies in clear at first");
    await plain.close();
    // As a program did it that left in the file what it deleted.
    const before = new DatabaseSync(file);
    before.exec("PRAGMA secure_delete = OFF; DELETE FROM rows WHERE key = 'default/gone'");
    before.close();
    assert.notDeepEqual(onDisk("swordfish and m"), [], "it is deleted, and there");
    const now = await opened(await SqliteJournal.open(file), keysIn(newDir()));
    now.sealing.resealer.start();
    await resealed(now);
    assert.deepEqual(onDisk("hunter2 and mor"), []);
    assert.deepEqual(onDisk("swordfish and m"), []);
    assert.equal(readBack(now.store, "s7").slice(0, 7), "hunter2");
    await now.sealing.resealer.stop();
    await now.store.close();
    assert.deepEqual(onDisk("hunter2 and mor"), []);
  });
});

describe("sealed journal", () => {
  async function filled() {
    const journal = new MemoryJournal();
    const dir = newDir();
    const first = await opened(journal, keysIn(dir));
    await create(first.store, "db", "hunter2");
    await create(first.store, "other", "swordfish");
    return { journal, dir, ...first };
  }
  const put = async (journal: Journal, kind: string, key: string, json: string | undefined) => {
    const { revision } = await journal.load();
    await journal.append([{ kind, key, revision: revision + 1, json }]);
  };

  test("the master key is made at the first start, for its owner alone", async () => {
    const { dir } = await filled();
    assert.equal(readFileSync(join(dir, "master.key")).length, 32);
    chmodSync(join(dir, "master.key"), 0o640);
    await assert.rejects(keysIn(dir).make(), /master\.key can be read by others; first: chmod 600/);
  });

  test("without its master key it is refused with the name of the file, and no other key is made", async () => {
    const { journal, dir } = await filled();
    const before = await journal.load();
    rmSync(join(dir, "master.key"));
    await assert.rejects(opened(journal, keysIn(dir)), (error: Error) => {
      assert.ok(error instanceof JournalRefusal);
      assert.match(error.message, /sealed with master key [0-9a-f]{16}, and .*master\.key is not there/);
      return true;
    });
    assert.equal(existsSync(join(dir, "master.key")), false);
    assert.deepEqual(await journal.load(), before);
  });

  test("with another master key it is refused, and nothing is changed", async () => {
    const { journal, dir } = await filled();
    const before = await journal.load();
    writeFileSync(join(dir, "master.key"), Buffer.alloc(32, 7));
    await assert.rejects(opened(journal, keysIn(dir)), /master\.key is another key \([0-9a-f]{16}\)/);
    assert.deepEqual(await journal.load(), before);
  });

  test("a row that was changed, copied to another name, or replaced by one in clear is refused by name", async () => {
    const cases: readonly [what: string, json: (row: string, other: string) => string, words: RegExp][] = [
      [
        "a changed byte",
        (row) => row.replace(/"box":"(.)/, (_, c) => `"box":"${c === "A" ? "B" : "A"}`),
        /Secret default\/db does not open: it was changed or damaged/,
      ],
      ["another's row", (_, other) => other, /comes from elsewhere/],
      ["an unknown key", (row) => row.replace(/"key":"./, '"key":"z'), /data key z.* keyring does not have/],
      ["a row in clear", () => JSON.stringify(secret("db", "mine")), /it lies in clear, and this store has sealed all/],
    ];
    for (const [what, change, words] of cases) {
      const all = await filled();
      all.sealing.resealer.start();
      await resealed(all);
      const row = await rowOf(all.journal, "Secret", "default/db");
      const other = await rowOf(all.journal, "Secret", "default/other");
      await put(all.journal, "Secret", "default/db", change(row?.json ?? "", other?.json ?? ""));
      await assert.rejects(opened(all.journal, keysIn(all.dir)), words, what);
    }
  });

  test("a user, a token or a secret that somebody wrote into the journal in clear is refused from the first start on", async () => {
    for (const kind of ["User", "JoinToken", "Secret"]) {
      const { journal, dir } = await filled();
      await put(journal, kind, "mallory", JSON.stringify({ kind, metadata: { name: "mallory" }, spec: {} }));
      await assert.rejects(opened(journal, keysIn(dir)), new RegExp(`${kind} mallory does not open: it lies in clear`));
    }
  });

  test("users of a store that an earlier program had sealed are read, sealed, and then refused in clear", async () => {
    const { journal, dir, vault } = await filled();
    const { state, master } = vault;
    const spec = state && master && asOfBefore(state.spec, master);
    await put(journal, "Keyring", "keyring", keyringRow(spec ?? assert.fail("no keyring"), row()).json);
    const anna = { grants: [{ role: "viewer" }], tokens: [] };
    const user = {
      apiVersion: users.apiVersion,
      kind: "User",
      metadata: { name: "anna", resourceVersion: "1" },
      spec: anna,
    };
    await put(journal, "User", "anna", JSON.stringify(user));
    const now = await opened(journal, keysIn(dir));
    assert.equal(now.store.get(users, "anna")?.spec.grants[0]?.role, "viewer");
    assert.equal(now.sealing.report().clear, 1);
    now.sealing.resealer.start();
    await resealed(now);
    assert.equal((await rowOf(journal, "User", "anna"))?.json.startsWith('{"sealed":'), true);
    await put(journal, "User", "mallory", JSON.stringify({ ...user, metadata: { name: "mallory" } }));
    await assert.rejects(opened(journal, keysIn(dir)), /User mallory does not open: it lies in clear/);
  });

  test("a keyring that was changed or removed is refused", async () => {
    const { journal, dir } = await filled();
    const row = await rowOf(journal, "Keyring", "keyring");
    const object = JSON.parse(row?.json ?? "");
    await put(
      journal,
      "Keyring",
      "keyring",
      JSON.stringify({ ...object, spec: { ...object.spec, completeKinds: [] } }),
    );
    await assert.rejects(opened(journal, keysIn(dir)), /the keyring in the store is damaged: it was changed/);
    await put(journal, "Keyring", "keyring", undefined);
    await assert.rejects(opened(journal, keysIn(dir)), /the keyring is missing, and Secret default\/db is sealed/);
  });

  test("a new master key wraps the same data keys; the old file is put aside, and no longer opens the store", async () => {
    const { journal, dir, sealing, store } = await filled();
    const old = readFileSync(join(dir, "master.key"));
    writeFileSync(join(dir, "new"), Buffer.alloc(32, 9), { mode: 0o600 });
    const [key] = sealing.report().keys;
    await sealing.rekey({ keyFile: join(dir, "new") });
    assert.deepEqual(readFileSync(join(dir, "master.key")), Buffer.alloc(32, 9));
    assert.ok(readdirSync(dir).some((name) => name.startsWith("master.key.old-")));
    await create(store, "later", "still writes");
    const second = await opened(journal, keysIn(dir));
    assert.equal(readBack(second.store, "db"), "hunter2");
    assert.equal(readBack(second.store, "later"), "still writes");
    assert.equal(second.sealing.report().keys[0]?.id, key?.id);
    writeFileSync(join(dir, "master.key"), old);
    await assert.rejects(opened(journal, keysIn(dir)), /is another key/);
  });

  test("a crash between the wrapping and the exchange of the files leaves a store that opens", async () => {
    const { journal, dir, sealing } = await filled();
    const old = readFileSync(join(dir, "master.key"));
    writeFileSync(join(dir, "new"), Buffer.alloc(32, 9), { mode: 0o600 });
    await sealing.rekey({ keyFile: join(dir, "new") });
    writeFileSync(join(dir, "master.key.next"), Buffer.alloc(32, 9), { mode: 0o600 });
    writeFileSync(join(dir, "master.key"), old);
    const second = await opened(journal, keysIn(dir));
    assert.equal(readBack(second.store, "db"), "hunter2");
    assert.deepEqual(readFileSync(join(dir, "master.key")), Buffer.alloc(32, 9));
    assert.equal(existsSync(join(dir, "master.key.next")), false);
  });

  test("a passphrase takes the place of the file, is remembered by its path, and a wrong one is refused", async () => {
    const { journal, dir, sealing } = await filled();
    const file = join(dir, "phrase");
    writeFileSync(file, "correct horse battery\n", { mode: 0o600 });
    await sealing.rekey({ passphraseFile: file });
    assert.equal(existsSync(join(dir, "master.key")), false);
    const second = await opened(journal, keysIn(dir));
    assert.equal(readBack(second.store, "db"), "hunter2");
    assert.equal(second.sealing.report().master.type, "passphrase");
    writeFileSync(file, "wrong horse battery\n");
    await assert.rejects(opened(journal, keysIn(dir)), /sealed with a passphrase .*phrase does not hold it/);
    writeFileSync(file, "short\n");
    await assert.rejects(opened(journal, keysIn(dir)), /at least 12 characters/);
  });

  test("a file that holds no key is the request's fault, and nothing changes", async () => {
    const { dir, sealing } = await filled();
    writeFileSync(join(dir, "bad"), "hello", { mode: 0o600 });
    const before = sealing.report();
    await assert.rejects(sealing.rekey({ keyFile: join(dir, "bad") }), /holds no key/);
    await assert.rejects(sealing.rekey({ keyFile: join(dir, "nowhere") }), /there is no such file/);
    assert.deepEqual(sealing.report(), before);
  });

  test("a refused batch leaves keys and rows as they were", async () => {
    const { journal, store, sealing } = await filled();
    const before = sealing.report();
    journal.refuseWith = "the disk is full";
    await assert.rejects(sealing.rotate(), /the disk is full/);
    await assert.rejects(create(store, "late", "x"), /the disk is full/);
    assert.deepEqual(sealing.report(), before);
    journal.refuseWith = undefined;
    await create(store, "late", "x");
    assert.equal(sealing.report().keys[0]?.rows, 3);
  });
});

describe("sealed journal that several share", () => {
  const parts = () => ({ clock: new SystemClock(), random: new SeededRandom("shared"), log: silentLog });

  /** One server: it follows, and can be made to lead. */
  async function server(shared: SharedMemory, dir: string) {
    const around = parts();
    const journal = openSealed(shared.open(), kernelKinds, keysIn(dir), around);
    const lost: string[] = [];
    const onLost = (reason: string) => void lost.push(reason);
    const store = await Store.openFollowing({ ...around, kinds: kernelKinds, journal, onLost });
    const sealing = new Sealing({ ...around, store, vault: journal.vault, kinds: kernelKinds });
    const lead = async () => {
      const me = { name: dir, url: `https://${dir}`, version: "1" };
      const leadership = await journal.campaign(me, new AbortController().signal);
      store.lead(leadership);
      return leadership;
    };
    return { store, sealing, lead, lost, vault: journal.vault };
  }

  async function seen(what: string, done: () => boolean): Promise<void> {
    for (const deadline = performance.now() + 5_000; !done(); await new Promise((resolve) => setTimeout(resolve, 5)))
      assert.ok(performance.now() < deadline, `not seen: ${what}`);
  }

  /** As a server that joins is given it. */
  function joinedDir(first: string): string {
    const dir = newDir();
    writeFileSync(join(dir, "master.key"), readFileSync(join(first, "master.key")), { mode: 0o600 });
    return dir;
  }

  test("the first leader makes the keys; followers read, and go on with them when they lead", async () => {
    const shared = new SharedMemory(new SystemClock());
    const dir = newDir();
    const first = await server(shared, dir);
    const leadership = await first.lead();
    await create(first.store, "db", "hunter2");
    const second = await server(shared, joinedDir(dir));
    assert.equal(readBack(second.store, "db"), "hunter2");
    await create(first.store, "next", "swordfish");
    await seen("what is written later", () => readBack(second.store, "next") === "swordfish");
    await leadership.resign();
    await second.lead();
    await second.sealing.rotate();
    second.sealing.resealer.start();
    await seen("all under the new key", () => second.vault.isSettled && second.vault.state?.spec.dataKeys.length === 1);
    await create(second.store, "late", "of the second");
    await seen("the second's", () => readBack(first.store, "late") === "of the second");
    assert.equal(first.vault.state?.spec.primary, second.vault.state?.spec.primary);
    assert.deepEqual([...first.lost, ...second.lost], []);
    assert.equal(
      shared.contents().rows.some(({ json }) => json.includes(Buffer.from("hunter2").toString("base64"))),
      false,
    );
    await second.sealing.resealer.stop();
  });

  test("a follower that waits for the first leader takes its keys as they come, and without the master key says what is missing", async () => {
    const shared = new SharedMemory(new SystemClock());
    const dir = newDir();
    const early = await server(shared, newDir());
    const first = await server(shared, dir);
    await first.lead();
    await create(first.store, "db", "hunter2");
    await seen("why it cannot follow", () => early.lost.length > 0);
    assert.match(early.lost[0] ?? "", /sealed with master key .*master\.key is not there/);
  });

  test("a change of the master key reaches followers; one that has only the old key goes on until its next start", async () => {
    const shared = new SharedMemory(new SystemClock());
    const dir = newDir();
    const first = await server(shared, dir);
    await first.lead();
    const otherDir = joinedDir(dir);
    const other = await server(shared, otherDir);
    writeFileSync(join(dir, "new"), Buffer.alloc(32, 5), { mode: 0o600 });
    await first.sealing.rekey({ keyFile: join(dir, "new") });
    await create(first.store, "db", "hunter2");
    await seen("what was written after", () => readBack(other.store, "db") === "hunter2");
    assert.deepEqual(other.lost, []);
    await assert.rejects(server(shared, otherDir), /master\.key is another key/);
    await assert.rejects(server(shared, newDir()), /is not there/);
    await server(shared, joinedDir(dir));
  });
});
