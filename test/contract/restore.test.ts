/** From one control plane to the next by a backup: consistent under load, and no node stops what the next one does not know. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as WebStream } from "node:stream/web";
import { after, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Assignments } from "../../src/agent/control.ts";
import { backupRoutes } from "../../src/api/backup.ts";
import type { StyrApiContext } from "../../src/api/context.ts";
import { notFound, renderError } from "../../src/api/errors.ts";
import { restorationReport } from "../../src/api/restoration.ts";
import { checkBackup, readBackup } from "../../src/app/backup/check-backup.ts";
import { restore } from "../../src/app/restore/restore.ts";
import { allKinds, sealJournal } from "../../src/app/server/seal-journal.ts";
import { Dispatcher } from "../../src/dispatcher/dispatcher.ts";
import { StoreControl } from "../../src/dispatcher/store-control.ts";
import { mountApis } from "../../src/http/mount.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../../src/model/cluster-trust.ts";
import { configMaps } from "../../src/model/config-map.ts";
import { joinTokens } from "../../src/model/join-token.ts";
import { pods } from "../../src/model/pod.ts";
import { RESTORATION_NAME, restorations } from "../../src/model/restoration.ts";
import { secrets } from "../../src/model/secret.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import type { Journal, SharedJournal } from "../../src/store/journal.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";
import { Store } from "../../src/store/store.ts";
import { issueCa } from "../../src/trust/issue-certificate.ts";
import { keyHashOf } from "../../src/trust/key-hash.ts";

const scratch = mkdtempSync(join(tmpdir(), "styr-restore-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const newDir = () => mkdtempSync(join(scratch, "state-"));

const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
const kinds = allKinds();

async function openStore(stateDir: string, journal: Journal) {
  const sealed = sealJournal(journal, { stateDir }, parts);
  return { store: await Store.open({ ...parts, kinds, journal: sealed }), sealed };
}

type Opened = Awaited<ReturnType<typeof openStore>>;

async function backup({ store, sealed }: Opened, file: string): Promise<void> {
  const clock = { now: () => Date.UTC(2026, 0, 1) };
  const context = { store, kinds, sealed, clock, version: "0.4.0" } as unknown as StyrApiContext;
  const mounted = mountApis([
    { name: "styr", prefixes: ["/styr"], routes: backupRoutes(context), renderError, notFound },
  ]);
  const from = {
    actor: { name: "anna", roles: ["admin"] },
    remoteAddress: "local",
    origin: "https://localhost",
  } as const;
  const { body } = await mounted.handle(new Request("https://localhost/styr/v1/backup"), from);
  await pipeline(Readable.fromWeb(body as WebStream), createWriteStream(file));
}

const noEtcd = async (): Promise<SharedJournal> => {
  throw new Error("no etcd here");
};

function restoreInto(
  stateDir: string,
  file: string,
  more: { readonly masterKeyFile?: string; readonly open?: () => Promise<SharedJournal> } = {},
) {
  const { open, ...keys } = more;
  return restore({
    ...{ file, stateDir, ...keys, socketPath: join(stateDir, "styr.sock"), progress: () => {} },
    place: { url: open ? "etcd://127.0.0.1:2379" : "sqlite" },
    around: { ...parts, stateDir, version: "0.4.0", openEtcd: open ?? noEtcd },
  });
}

const podOn = (name: string, nodeName = "n1") => ({
  apiVersion: "v1",
  kind: "Pod" as const,
  metadata: { namespace: "default", name, uid: `uid-${name}` },
  spec: { nodeName, containers: [{ name: "c", image: "i" }] },
  status: { phase: "Running" as const },
});

/** A control plane with its CA, a secret, a pod and a join token, and a backup of it. */
const CA = await issueCa(Date.UTC(2026, 0, 1), Date.UTC(2036, 0, 1));

async function backedUp() {
  const stateDir = newDir();
  const opened = await openStore(stateDir, new MemoryJournal());
  await opened.store.update((tx) => {
    tx.create(pods, podOn("known"));
    const authorities = [{ ...CA, madeAt: "2026-01-01T00:00:00Z" }];
    tx.create(clusterTrusts, {
      ...{ apiVersion: clusterTrusts.apiVersion, kind: "ClusterTrust", metadata: { name: CLUSTER_TRUST_NAME } },
      spec: { clusterId: "c1", authorities },
    });
    const metadata = { namespace: "default", name: "db" };
    tx.create(secrets, { apiVersion: "v1", kind: "Secret", metadata, data: { p: "aHVudGVyMg==" } });
    tx.create(joinTokens, {
      ...{ apiVersion: joinTokens.apiVersion, kind: "JoinToken", metadata: { name: "t1" } },
      spec: { role: "agent", secretHash: "x", expiresAt: "2027-01-01T00:00:00Z", uses: 1, madeBy: "a", used: [] },
    });
  });
  const file = join(stateDir, "backup.gz");
  await backup(opened, file);
  return { stateDir, file, key: join(stateDir, "pki/master.key"), revision: opened.store.revision, ...opened };
}

const openRestored = async (stateDir: string) =>
  openStore(stateDir, await SqliteJournal.open(join(stateDir, "store.db")));

describe("backup", () => {
  test("taken while others write is as of one moment, and nobody waits for it", async () => {
    const opened = await openStore(newDir(), await SqliteJournal.open(join(newDir(), "store.db")));
    const { store } = opened;
    const put = (name: string, value: string) => ({
      ...{ apiVersion: "v1", kind: "ConfigMap" as const, metadata: { namespace: "default", name }, data: { value } },
    });
    await store.update((tx) => {
      for (let n = 0; n < 2_000; n++) tx.create(configMaps, put(`x${n}`, "x".repeat(500)));
      tx.create(configMaps, put("a", "0"));
      tx.create(configMaps, put("b", "0"));
    });
    let isOver = false;
    let longestMs = 0;
    const writing = (async () => {
      for (let n = 1; !isOver; n++) {
        const began = performance.now();
        await store.update((tx) => {
          for (const name of ["a", "b"]) {
            const before = tx.get(configMaps, `default/${name}`);
            if (before) tx.update(configMaps, { ...before, data: { value: String(n) } });
          }
        });
        longestMs = Math.max(longestMs, performance.now() - began);
      }
    })();
    const dir = newDir();
    const revisions: number[] = [];
    for (let round = 0; round < 5; round++) {
      const file = join(dir, `${round}.gz`);
      await backup(opened, file);
      const values = new Map<string, string>();
      let newest = 0;
      const { revision } = await readBackup(file, {
        row: (row) => {
          newest = Math.max(newest, row.revision);
          if (row.kind === "ConfigMap") values.set(row.key, JSON.parse(row.json).data.value);
        },
      });
      assert.equal(values.get("default/a"), values.get("default/b"), "both were written in one transaction");
      assert.equal(values.size, 2_002);
      assert.ok(newest <= revision, "nothing in it is newer than it says");
      revisions.push(revision);
    }
    isOver = true;
    await writing;
    assert.ok(new Set(revisions).size > 1, "the store went on between backups");
    assert.ok(longestMs < 1_000, `a write waited ${longestMs} ms`);
    await store.close();
  });
});

describe("restore", () => {
  test("gives back every object with later numbers than any before, the CA and the master key", async () => {
    const { file, key, revision } = await backedUp();
    const stateDir = newDir();
    const report = await restoreInto(stateDir, file, { masterKeyFile: key });
    const { store } = await openRestored(stateDir);
    assert.equal(store.get(secrets, "default/db")?.data?.p, "aHVudGVyMg==");
    const pod = store.get(pods, "default/known");
    assert.equal(pod?.metadata.uid, "uid-known");
    assert.ok(Number(pod?.metadata.resourceVersion) > revision + 1_000_000);
    assert.equal(store.revision, report.revision);
    assert.equal(store.get(joinTokens, "t1"), undefined, "a token may have been used since");
    assert.equal(store.get(restorations, RESTORATION_NAME)?.spec.state, "held");
    await store.close();
    assert.equal(readFileSync(join(stateDir, "pki/ca.crt"), "utf8"), CA.certPem);
    assert.equal(readFileSync(join(stateDir, "pki/ca.key"), "utf8"), CA.keyPem);
    assert.deepEqual(report.ca, { hash: keyHashOf(CA.certPem), madeAt: "2026-01-01T00:00:00Z" });
    assert.deepEqual(readFileSync(join(stateDir, "pki/master.key")), readFileSync(key));
  });

  test("is refused in words, and nothing is written, without the key, into what is not empty, from a broken file", async () => {
    const { file, key, stateDir: old } = await backedUp();
    const stateDir = newDir();
    await assert.rejects(restoreInto(stateDir, file), /sealed with master key .* is not there/);
    writeFileSync(join(stateDir, "other.key"), Buffer.alloc(32, 1), { mode: 0o600 });
    const wrong = restoreInto(stateDir, file, { masterKeyFile: join(stateDir, "other.key") });
    await assert.rejects(wrong, /sealed with master key/);
    const cut = join(stateDir, "cut.gz");
    writeFileSync(cut, readFileSync(file).subarray(0, 300));
    await assert.rejects(restoreInto(stateDir, cut, { masterKeyFile: key }), /cut\.gz: it is cut off/);
    assert.equal(existsSync(join(stateDir, "store.db")), false);
    assert.equal(existsSync(join(stateDir, "pki")), false);
    await restoreInto(stateDir, file, { masterKeyFile: key });
    await assert.rejects(restoreInto(stateDir, file, { masterKeyFile: key }), /is not empty: it holds/);
    assert.ok(old);
  });

  test("is refused when somebody without the master key wrote into the file, and nothing is written", async () => {
    const { file, key } = await backedUp();
    const mine = (name: string) => {
      const spec = { grants: [{ role: "admin" }], tokens: [] };
      const object = { apiVersion: "styrmann.dev/v1", kind: "User", metadata: { name, resourceVersion: "1" }, spec };
      return { kind: "User", key: name, revision: 1, object };
    };
    const lines = gunzipSync(readFileSync(file)).toString().trim().split("\n");
    const [header = "", ...others] = lines.slice(0, -1);
    const hidden = JSON.parse(header);
    const forgeries: Readonly<Record<string, readonly string[]>> = {
      "a user more": [header, JSON.stringify(mine("mallory")), ...others],
      "a pod more": [header, ...others, others.find((line) => line.startsWith('{"kind":"Pod"')) ?? ""],
      "no keys at all": [JSON.stringify({ ...hidden, masterKey: undefined }), JSON.stringify(mine("mallory"))],
    };
    for (const [what, forged] of Object.entries(forgeries)) {
      const [first = "", ...rows] = forged;
      const text = `${[JSON.stringify({ ...JSON.parse(first), rows: rows.length }), ...rows].join("\n")}\n`;
      const sha256 = createHash("sha256").update(text).digest("hex");
      for (const mac of [undefined, JSON.parse(lines.at(-1) ?? "").mac]) {
        const stateDir = newDir();
        const forgery = join(stateDir, "forged.gz");
        writeFileSync(forgery, gzipSync(`${text}${JSON.stringify({ end: true, rows: rows.length, sha256, mac })}\n`));
        await checkBackup(forgery);
        await assert.rejects(restoreInto(stateDir, forgery, { masterKeyFile: key }), /not signed|does not open/, what);
        assert.deepEqual(readdirSync(stateDir), ["forged.gz"]);
      }
    }
  });

  test("into a shared store that was interrupted can be run again, and no server starts on half of it", async () => {
    const { file, key } = await backedUp();
    const stateDir = newDir();
    const shared = new SharedMemory(parts.clock);
    const half = shared.open();
    await half.load();
    await half.campaign({ name: "x", url: "", version: "1" }, new AbortController().signal);
    await half.append([{ kind: "Pod", key: "default/half", revision: 5, json: JSON.stringify(podOn("half")) }]);
    await half.close();
    await restoreInto(stateDir, file, { masterKeyFile: key, open: async () => shared.open() });
    const sealed = sealJournal(shared.open(), { stateDir }, parts);
    const { rows } = await sealed.load();
    assert.equal(
      rows.some((row) => row.key === "default/half"),
      false,
    );
    assert.ok(rows.some((row) => row.key === "default/db" && row.json.includes("aHVudGVyMg==")));
  });

  test("until it is confirmed, nodes are told to keep what is not listed: in the same process, and over a link", async () => {
    const { file, key } = await backedUp();
    const stateDir = newDir();
    await restoreInto(stateDir, file, { masterKeyFile: key });
    const { store } = await openRestored(stateDir);
    const stop = new AbortController();
    const near: Assignments[] = [];
    new StoreControl(store).watchPods("n1", (told) => near.push(told), stop.signal);
    const far: string[] = [];
    const leases = { beat: () => ({ renewed: true, known: true, terms: { heartbeatMs: 1_000 } }), goodbye() {} };
    const dispatcher = new Dispatcher({ store, clock: parts.clock, log: silentLog, leases });
    const link = dispatcher.accept({ send: (frame) => void far.push(frame), close() {} }, { nodeName: "n1" });
    link.frame('["c","s",1,1,{"method":"watch","stream":1,"node":"n1"}]');
    const seen = async (what: string, done: () => boolean) => {
      for (const deadline = performance.now() + 5_000; !done(); await parts.clock.sleep(5))
        assert.ok(performance.now() < deadline, `${what}; heard: ${JSON.stringify(near)} ${far.join(" ")}`);
    };
    await seen("told to keep", () => near.length === 1 && far.some((frame) => frame.includes('"kept"')));
    assert.equal(near[0]?.type === "all" && near[0].keepsUnknown, true);
    await store.update((tx) => {
      const held = tx.get(restorations, RESTORATION_NAME);
      if (held) tx.update(restorations, { ...held, spec: { ...held.spec, state: "confirmed" } });
    });
    await seen("told all anew", () => near.length === 2 && far.some((frame) => frame.includes('"all"')));
    assert.equal(near[1]?.type === "all" && near[1].keepsUnknown, undefined);
    assert.deepEqual(restorationReport(store).nodes, []);
    stop.abort();
    dispatcher.stop();
    await store.close();
  });

  test("a backup says what is in it", async () => {
    const { file } = await backedUp();
    const { header, kinds: counts } = await checkBackup(file);
    assert.equal(header.clusterId, "c1");
    assert.equal(header.ca?.hash, keyHashOf(CA.certPem), "for people to see whether hosts would come back");
    assert.equal(counts.get("Secret"), 1);
    assert.equal(readFileSync(file).includes("aHVudGVyMg=="), false);
  });
});
