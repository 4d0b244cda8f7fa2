/** A store whose server is stopped, opened to be read or filled as a whole. */
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { keyrings } from "../../model/keyring.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { Journal, JournalContents, Leadership, ServerIdentity, SharedJournal } from "../../store/journal.ts";
import { SqliteJournal } from "../../store/journals/sqlite.ts";
import { refuseMoved } from "../../store/sealed/moved-row.ts";
import type { StorePlace } from "../store-place.ts";
import { DEFAULT_PREFIX, endpointsOf, isEtcd } from "../store-place.ts";
import { CopyRefusal } from "./copy-refusal.ts";

export interface OpenedStore {
  readonly journal: Journal;
  readonly contents: JournalContents;
  /** In words: `sqlite (/var/lib/styrmann/store.db)`. */
  readonly name: string;
  /** All of it is written: from now on it is the store. */
  commit(): Promise<void>;
  /** Gives it free. What was not committed is thrown away, or begun anew by the next one. */
  close(): Promise<void>;
}

export interface StoreSurroundings {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
  /** Somebody does not want it any more: what was begun is given up in order, so that the next one finds nobody leading. */
  readonly interrupted?: AbortSignal;
  openEtcd(place: StorePlace): Promise<SharedJournal>;
}

const CAMPAIGN_MS = 20_000;

export async function openToRead(place: StorePlace, around: StoreSurroundings): Promise<OpenedStore> {
  if (isEtcd(place)) {
    const shared = await openShared(place, around);
    try {
      refuseMoved(shared.contents.rows);
    } catch (error) {
      await shared.close();
      throw error;
    }
    return shared;
  }
  const file = join(around.stateDir, "store.db");
  if (!existsSync(file)) throw new CopyRefusal(`there is no store: ${file} is not there`);
  return openFile(file, file);
}

/** An empty one, or one that an earlier attempt did not finish. Anything else is refused. */
export async function openToFill(place: StorePlace, around: StoreSurroundings): Promise<OpenedStore> {
  const opened = isEtcd(place) ? await openShared(place, around) : await openNewFile(join(around.stateDir, "store.db"));
  const { rows } = opened.contents;
  if (rows.length === 0 || isUnfinished(place, opened.contents)) return opened;
  await opened.close();
  throw notEmpty(opened.name, opened.contents, isEtcd(place) ? howToEmpty(place) : undefined);
}

/** A command for people. */
export function howToEmpty(place: StorePlace): string {
  const endpoints = `--endpoints=${endpointsOf(place).join(",")}`;
  return `ETCDCTL_API=3 etcdctl ${endpoints} del --prefix ${place.prefix ?? DEFAULT_PREFIX}`;
}

/** Whoever fills a shared journal writes the keyring last. */
function isUnfinished(place: StorePlace, { rows }: JournalContents): boolean {
  return isEtcd(place) && !rows.some(({ kind }) => kind === keyrings.name);
}

function notEmpty(name: string, { rows }: JournalContents, empty = "move it away"): CopyRefusal {
  const pods = rows.filter(({ kind }) => kind === "Pod").length;
  const what = `${rows.length} objects, ${pods} of them pods`;
  return new CopyRefusal(
    `${name} is not empty: it holds ${what}. Nothing was changed; take another one, or empty this one first: ${empty}`,
  );
}

/** Beside the place where it will lie; it gets there in one step. */
async function openNewFile(file: string): Promise<OpenedStore> {
  if (existsSync(file)) {
    const present = await openFile(file, file);
    await present.close();
    if (present.contents.rows.length > 0) throw notEmpty(present.name, present.contents);
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o711 });
  const fresh = `${file}.new`;
  for (const each of [fresh, `${fresh}-wal`, `${fresh}-shm`]) await rm(each, { force: true });
  return openFile(fresh, file);
}

async function openFile(at: string, file: string): Promise<OpenedStore> {
  const journal = await SqliteJournal.open(at);
  let isOpen = true;
  const close = async () => {
    if (isOpen) await journal.close();
    isOpen = false;
  };
  return {
    journal,
    contents: await journal.load(),
    name: `sqlite (${file})`,
    commit: async () => {
      await close();
      if (at === file) return;
      for (const stale of [`${file}-wal`, `${file}-shm`]) await rm(stale, { force: true });
      await rename(at, file);
    },
    close,
  };
}

/** Leads it meanwhile, so that no server does. */
async function openShared(place: StorePlace, around: StoreSurroundings): Promise<OpenedStore> {
  const journal = await around.openEtcd(place);
  let leadership: Leadership | undefined;
  const close = async () => {
    await leadership?.resign();
    await journal.close();
  };
  try {
    const first = await journal.load();
    let isMoving = false;
    const moves = () => {
      isMoving = true;
    };
    journal.follow({ batch: moves, lost: moves });
    leadership = await lead(journal, place, around);
    refuseInterrupted(around);
    if (isMoving) throw new CopyRefusal(`${place.url} is in use: somebody writes there. Stop every server first`);
    return { journal, contents: first, name: place.url, commit: async () => {}, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Nothing of what an interrupted one wrote counts. */
export function refuseInterrupted({ interrupted }: Pick<StoreSurroundings, "interrupted">): void {
  if (interrupted?.aborted)
    throw new CopyRefusal(
      "interrupted: what there was before is untouched and goes on being the one that counts. The same command does all of it again",
    );
}

/** One of these commands leads as nobody's server: it has no address. One that was killed leads until its lease has run out. */
async function lead(journal: SharedJournal, place: StorePlace, around: StoreSurroundings): Promise<Leadership> {
  const refusal = (leader: ServerIdentity) =>
    new CopyRefusal(
      `${place.url} is in use: server "${leader.name}" (${leader.url}) leads there. Stop every server first`,
    );
  const { leader } = journal;
  if (leader && leader.url !== "") throw refusal(leader);
  const giveUp = new AbortController();
  const timer = around.clock.setTimer(CAMPAIGN_MS, () => giveUp.abort(new CopyRefusal(tooLong(place, journal))));
  journal.onLeader((now) => {
    if (now && now.url !== "") giveUp.abort(refusal(now));
  });
  const { interrupted } = around;
  const signal = interrupted ? AbortSignal.any([giveUp.signal, interrupted]) : giveUp.signal;
  try {
    const me = { name: `styr-store on ${hostname()}`, url: "", version: around.version };
    return await journal.campaign(me, signal);
  } catch (error) {
    refuseInterrupted(around);
    throw error;
  } finally {
    timer.cancel();
  }
}

function tooLong({ url }: StorePlace, { leader }: SharedJournal): string {
  return leader
    ? `${url} is in use: another styr command works on it (${leader.name}). Wait until that has ended`
    : `${url}: nobody leads, and yet it cannot be led`;
}
