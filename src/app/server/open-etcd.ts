import { readFile } from "node:fs/promises";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import { JournalRefusal, type SharedJournal } from "../../store/journal.ts";
import { EtcdJournal } from "../../store/journals/etcd/etcd-journal.ts";
import { endpointsOf, passwordOf, type StorePlace } from "../store-place.ts";

export interface EtcdSurroundings {
  readonly clock: Clock;
  readonly log: Log;
}

/** The journal on etcd, with what is sealed in it as it is. Rejects with JournalRefusal in words. */
export async function openEtcd({ clock, log }: EtcdSurroundings, place: StorePlace): Promise<SharedJournal> {
  const { user, prefix } = place;
  const password = await inWords(passwordOf(place));
  const tls = {
    ...(place.ca === undefined ? {} : { ca: await pem(place.ca) }),
    ...(place.cert === undefined ? {} : { cert: await pem(place.cert) }),
    ...(place.key === undefined ? {} : { key: await pem(place.key) }),
  };
  return EtcdJournal.open({
    endpoints: endpointsOf(place),
    clock,
    log,
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(user === undefined || password === undefined ? {} : { user: { name: user, password } }),
    ...(prefix === undefined ? {} : { prefix }),
  });
}

function pem(file: string): Promise<string> {
  return inWords(readFile(file, "utf8"));
}

async function inWords<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw new JournalRefusal(`a file of the store's settings cannot be read: ${(error as Error).message}`);
  }
}
