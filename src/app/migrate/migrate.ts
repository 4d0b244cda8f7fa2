/** Moves everything from one store to another while no server runs, and has the state directory remember the new one. */
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { rfc3339 } from "../../seams/clock.ts";
import { movedRow } from "../../store/sealed/moved-row.ts";
import { keepPlace, readPlace } from "../instance.ts";
import { answers } from "../listen.ts";
import { isEtcd, isSameStore, SQLITE, type StorePlace } from "../store-place.ts";
import { CopyRefusal } from "./copy-refusal.ts";
import { compareStores, copyStore } from "./copy-store.ts";
import {
  howToEmpty,
  type OpenedStore,
  openToFill,
  openToRead,
  refuseInterrupted,
  type StoreSurroundings,
} from "./opened-store.ts";

export interface MigrateOptions {
  readonly to: StorePlace;
  readonly socketPath: string;
  readonly around: StoreSurroundings;
  progress(rows: number, of: number): void;
}

export interface MigrateReport {
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  /** The old store is still there: where, and how it is removed. */
  readonly oldStore: string;
}

export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  const { around } = options;
  const from = await oldStoreOf(options);
  const moved = await move(from, options);
  return { ...moved, oldStore: await putOldAside(from, around) };
}

async function oldStoreOf({ to, socketPath, around }: MigrateOptions): Promise<StorePlace> {
  const { stateDir } = around;
  const place = await readPlace(stateDir);
  if (!place) throw new CopyRefusal(`no server was ever started on ${stateDir}`);
  const from = place.store ?? SQLITE;
  if (isSameStore(from, to)) throw new CopyRefusal(`the store of ${stateDir} is ${from.url} already`);
  if (existsSync(socketPath) && (await answers(socketPath)))
    throw new CopyRefusal(`styr is running on ${stateDir}: stop it first. What runs in the cluster runs on meanwhile`);
  return from;
}

async function move(
  from: StorePlace,
  { to, around, progress }: MigrateOptions,
): Promise<Omit<MigrateReport, "oldStore">> {
  const source = await openToRead(from, around);
  try {
    const { rows } = source.contents;
    const target = await openToFill(to, around);
    try {
      await copyStore(target, source.contents, (done) => {
        refuseInterrupted(around);
        progress(done, rows.length);
      });
      await target.commit();
    } finally {
      await target.close();
    }
    const written = await openToRead(to, around);
    await written.close();
    compareStores(rows, written.contents.rows);
    refuseInterrupted(around);
    await remember(to, around);
    if (isEtcd(from)) await leaveWord(source, written.name, around);
    return { from: source.name, to: written.name, rows: rows.length };
  } finally {
    await source.close();
  }
}

/** Other servers may remember the old store, and a reboot may start them. */
async function leaveWord(source: OpenedStore, to: string, { clock }: StoreSurroundings): Promise<void> {
  const row = movedRow(source.contents.revision + 1, { to, at: rfc3339(clock.now()), host: hostname() });
  await source.journal.append([row]);
}

async function remember(store: StorePlace, { stateDir, random }: StoreSurroundings): Promise<void> {
  const place = await readPlace(stateDir);
  if (place) await keepPlace(stateDir, { ...place, store }, random);
}

/** Out of the way, so that nobody takes it for the present one. In words how it is removed. */
async function putOldAside(from: StorePlace, around: StoreSurroundings): Promise<string> {
  if (isEtcd(from)) return howToEmpty(from);
  const file = join(around.stateDir, "store.db");
  const aside = `${file}.before-${rfc3339(around.clock.now()).replaceAll(":", "")}`;
  await rename(file, aside);
  return `rm ${aside}`;
}
