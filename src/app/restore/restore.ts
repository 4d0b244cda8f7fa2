/** Makes the store of a control plane that is not there yet from a backup. Everything is checked before anything is written. */
import { existsSync } from "node:fs";
import { assert } from "../../lib/assert.ts";
import { type ClusterTrust, clusterTrusts } from "../../model/cluster-trust.ts";
import { type KeyringSpec, keyrings } from "../../model/keyring.ts";
import { RESTORATION_NAME, type Restoration, restorations } from "../../model/restoration.ts";
import { rfc3339 } from "../../seams/clock.ts";
import type { ArchiveHeader, ArchiveRow, ArchiveTrailer } from "../../store/archive/archive-format.ts";
import { archiveMacOf } from "../../store/sealed/master-key.ts";
import { numbered, readSealed } from "../../store/sealed/sealed-row.ts";
import { keyringIn, Vault } from "../../store/sealed/vault.ts";
import { caOf } from "../../trust/authorities.ts";
import { readBackup } from "../backup/check-backup.ts";
import { answers } from "../listen.ts";
import { CopyRefusal } from "../migrate/copy-refusal.ts";
import { type OpenedStore, openToFill, refuseInterrupted, type StoreSurroundings } from "../migrate/opened-store.ts";
import { RowWriter } from "../migrate/row-writer.ts";
import { allKinds, type KeySettings, masterKeysOf } from "../server/seal-journal.ts";
import type { StorePlace } from "../store-place.ts";
import { restoredRow } from "./restored-row.ts";
import { writeIdentity } from "./write-identity.ts";

export interface RestoreOptions extends KeySettings {
  readonly file: string;
  readonly place: StorePlace;
  readonly socketPath: string;
  readonly around: StoreSurroundings;
  progress(rows: number): void;
}

export interface RestoreReport {
  readonly header: ArchiveHeader;
  readonly store: string;
  /** What every watcher and every agent has heard of lies below it. */
  readonly revision: number;
  readonly notes: readonly string[];
  /** The one that signs there. */
  readonly ca?: { readonly hash: string; readonly madeAt: string };
}

/** More changes than any store makes between a backup and its loss. */
const AHEAD = 1_000_000_000;

export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { file, place, socketPath, around } = options;
  const found = await survey(file);
  const vault = await openVault(found, options);
  checkWriter(found, vault, file);
  checkRows(found, vault);
  if (existsSync(socketPath) && (await answers(socketPath)))
    throw new CopyRefusal(
      `styr is running on ${around.stateDir}: a restore is into a control plane that is not there yet. Take another --state`,
    );
  const target = await openToFill(place, around);
  try {
    // Its keys first: a store that is there without them would be begun with others.
    const { master } = vault;
    if (master?.about.type === "passphrase") await vault.masterKeys.settled(master);
    const trust = found.trust && trustOf(found.trust, vault);
    const notes = await writeIdentity(around.stateDir, master, trust);
    const revision = await fill(target, found, options);
    await target.commit();
    const ca = trust ? { ca: caOf(trust.spec) } : {};
    return { header: found.header, store: target.name, revision, notes, ...ca };
  } finally {
    await target.close();
  }
}

interface Found {
  readonly header: ArchiveHeader;
  readonly trailer: ArchiveTrailer;
  readonly keyring: KeyringSpec | undefined;
  readonly trust: ArchiveRow | undefined;
  /** Rows that are sealed, or have to be. */
  readonly sealed: readonly ArchiveRow[];
}

/** Reads the whole file once, and keeps what has to be looked at before it is believed. */
async function survey(file: string): Promise<Found> {
  let keyring: KeyringSpec | undefined;
  let trailer: ArchiveTrailer | undefined;
  const sealed: ArchiveRow[] = [];
  const kinds = new Set(allKinds().flatMap(({ name, isSealed }) => (isSealed ? [name] : [])));
  const header = await readBackup(file, {
    row: (row) => {
      keyring = keyringIn(row, row.json) ?? keyring;
      if (kinds.has(row.kind) || readSealed(row.json)) sealed.push(row);
    },
    trailer: (found) => {
      trailer = found;
    },
  });
  assert(trailer, "a backup that was read to its end has one");
  return { header, trailer, keyring, sealed, trust: sealed.find(({ kind }) => kind === clusterTrusts.name) };
}

async function openVault({ keyring }: Found, options: RestoreOptions): Promise<Vault> {
  const vault = new Vault(allKinds(), masterKeysOf(options));
  if (!keyring) return vault;
  await vault.find(keyring);
  const state = vault.read(keyring);
  if (state) vault.use(state);
  return vault;
}

/** Whoever could write into the file would else make himself a user, or have anything run. */
function checkWriter({ trailer }: Found, { master }: Vault, file: string): void {
  if (master && trailer.mac === archiveMacOf(master.bytes, trailer.sha256)) return;
  throw new CopyRefusal(
    `${file}: it was not written by a server of this cluster, or was changed since: it is not signed with the cluster's ` +
      "master key. Nothing was changed; take a backup that nobody could write into",
  );
}

/** Throws JournalRefusal when one does not open. */
function checkRows({ sealed }: Found, vault: Vault): void {
  for (const row of sealed) vault.open(row, row.json);
}

function trustOf(row: ArchiveRow, vault: Vault): ClusterTrust {
  return JSON.parse(vault.open(row, row.json)) as ClusterTrust;
}

/** The keyring comes last: a store of etcd without one is known to be unfinished. Resolves with the last revision. */
async function fill(target: OpenedStore, { header, trailer }: Found, options: RestoreOptions): Promise<number> {
  const writer = new RowWriter(target.journal, (rows) => {
    refuseInterrupted(options.around);
    options.progress(rows);
  });
  let revision = Math.max(target.contents.revision, header.revision) + AHEAD;
  for (const { kind, key } of target.contents.rows)
    await writer.put({ kind, key, revision: ++revision, json: undefined });
  let last: ArchiveRow | undefined;
  await readBackup(options.file, {
    row: (row) => {
      const json = restoredRow(row);
      if (json === undefined) return;
      if (row.kind === keyrings.name) last = row;
      else writer.add({ ...row, revision: ++revision, json: readSealed(json) ? json : numbered(json, revision) });
    },
    trailer: ({ sha256 }) => {
      if (sha256 === trailer.sha256) return;
      throw new CopyRefusal(`${options.file} was changed while it was read; run the same command again`);
    },
    drain: async () => {
      if (writer.isDue) await writer.flush();
    },
  });
  writer.add(restorationRow(header, ++revision, options));
  if (last) writer.add({ ...last, revision: ++revision, json: numbered(last.json, revision) });
  await writer.flush();
  return revision;
}

function restorationRow(
  { time, revision: backupRevision, version }: ArchiveHeader,
  revision: number,
  { around }: RestoreOptions,
) {
  const { clock, random } = around;
  const restoredAt = rfc3339(clock.now());
  const object: Restoration = {
    apiVersion: restorations.apiVersion,
    kind: "Restoration",
    metadata: {
      name: RESTORATION_NAME,
      uid: random.uuid(),
      resourceVersion: String(revision),
      generation: 1,
      creationTimestamp: restoredAt,
    },
    spec: { restoredAt, backupTime: time, backupRevision, backupVersion: version, state: "held" },
  };
  return { kind: restorations.name, key: RESTORATION_NAME, revision, json: JSON.stringify(object) };
}
