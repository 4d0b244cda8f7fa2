import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettings,
  clusterSettings,
  DEFAULT_CLUSTER_SETTINGS,
} from "../../src/model/cluster-settings.ts";
import { kernelKinds } from "../../src/model/kinds.ts";
import type { Clock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { Store } from "../../src/store/store.ts";

/** A store in memory of a cluster that has accepted the authority's terms. */
export async function openAcmeStore(clock: Clock, seed: string | number, historyLimit?: number): Promise<Store> {
  const parts = { clock, random: new SeededRandom(seed), log: silentLog };
  const limit = historyLimit === undefined ? {} : { historyLimit };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts, ...limit });
  const spec = { ...DEFAULT_CLUSTER_SETTINGS, acmeTermsAccepted: true };
  const { apiVersion } = clusterSettings;
  await store.update((tx) =>
    tx.create<ClusterSettings>(clusterSettings, {
      ...{ apiVersion, kind: "ClusterSettings", metadata: { name: CLUSTER_SETTINGS_NAME }, spec },
    }),
  );
  return store;
}
