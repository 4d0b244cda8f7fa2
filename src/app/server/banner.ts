/** What a server says of itself when it is up. */
import { join } from "node:path";
import type { Settings } from "../settings.ts";
import { isEtcd, type StorePlace } from "../store-place.ts";

/** One that takes connections at every address of the host says so: it is not on this machine alone. */
export function listeningWords(
  { host, socketPath }: Pick<Settings, "host" | "socketPath">,
  urls: readonly string[],
): string {
  const [https = "", ...others] = urls;
  const isEverywhere = host === "0.0.0.0" || host === "::";
  return [isEverywhere ? `${https} (and at every other address of this host)` : https, ...others, socketPath].join(
    "  ",
  );
}

export function placeWords({ stateDir }: Pick<Settings, "stateDir">, store: StorePlace): string {
  return isEtcd(store) ? store.url : join(stateDir, "store.db");
}
