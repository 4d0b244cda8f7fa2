import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import type { ServerIdentity, SharedJournal } from "../../../src/store/journal.ts";
import { EtcdJournal, type EtcdJournalOptions } from "../../../src/store/journals/etcd/etcd-journal.ts";

export const identity = (name: string): ServerIdentity => ({ name, url: `https://${name}:7443`, version: "0.4.0" });

export const never = new AbortController().signal;

export function openEtcdJournal(
  endpoints: readonly string[],
  more: Partial<EtcdJournalOptions> = {},
): Promise<EtcdJournal> {
  return EtcdJournal.open({ endpoints, clock: new SystemClock(), log: silentLog, ttlMs: 1_500, ...more });
}

/** Loaded and leading, as `Journal` alone knows it. */
export async function leading<T extends SharedJournal>(journal: T, name = "only") {
  const contents = await journal.load();
  const leadership = await journal.campaign(identity(name), never);
  return { journal, contents, leadership };
}
