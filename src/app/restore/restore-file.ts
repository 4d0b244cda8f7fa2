import { stat } from "node:fs/promises";
import { readPlace } from "../instance.ts";
import { storeSurroundings } from "../migrate/store-surroundings.ts";
import type { Settings } from "../settings.ts";
import { chooseStore, isEtcd, type StorePlace } from "../store-place.ts";
import { type RestoreReport, restore } from "./restore.ts";

/** As `styr restore FILE` does it; `options` are those that the server has to be started with. */
export async function restoreFile(
  file: string,
  settings: Settings,
  progress: (rows: number) => void,
  interrupted: AbortSignal,
): Promise<RestoreReport & { readonly bytes: number; readonly options: string }> {
  const { stateDir, masterKeyFile, passphraseFile, socketPath } = settings;
  const place = chooseStore(settings.store, (await readPlace(stateDir))?.store);
  const around = { ...storeSurroundings(settings), interrupted };
  const report = await restore({ file, place, stateDir, masterKeyFile, passphraseFile, socketPath, around, progress });
  return { ...report, bytes: (await stat(file)).size, options: optionsOf(place) };
}

function optionsOf(place: StorePlace): string {
  if (!isEtcd(place)) return "";
  const { url, ca, cert, key, user, passwordFile, prefix } = place;
  const given = { store: url, "store-ca": ca, "store-cert": cert, "store-key": key, "store-user": user };
  const all = Object.entries({ ...given, "store-password-file": passwordFile, "store-prefix": prefix });
  return all.flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${value}`])).join("");
}
