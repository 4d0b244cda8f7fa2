import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettings,
  clusterSettings,
  DEFAULT_CLUSTER_SETTINGS,
} from "../model/cluster-settings.ts";
import { type Exposure, exposures } from "../model/exposure.ts";
import { kernelKinds } from "../model/kinds.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { CertificateOrders } from "./certificate-orders.ts";

const MINUTE = 60_000;

test("hosts that came with more changes at once than the store remembers are ordered at once, and those after them", async () => {
  const clock = new ManualClock();
  const parts = { clock, random: new SeededRandom(1), log: silentLog, historyLimit: 4 };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
  const spec = { ...DEFAULT_CLUSTER_SETTINGS, acmeTermsAccepted: true };
  const { apiVersion } = clusterSettings;
  await store.update((tx) =>
    tx.create<ClusterSettings>(clusterSettings, {
      ...{ apiVersion, kind: "ClusterSettings", metadata: { name: CLUSTER_SETTINGS_NAME }, spec },
    }),
  );
  const expose = (...hosts: readonly string[]) =>
    store.update((tx) => {
      for (const host of hosts)
        tx.create<Exposure>(exposures, {
          ...{ apiVersion: exposures.apiVersion, kind: "Exposure", metadata: { name: host } },
          spec: { host, path: "/", workload: { dialect: "marathon", name: "/a" }, tls: { acme: true } },
        });
    });
  const asked: string[] = [];
  const authority = {
    newAccountKey: async () => "key",
    order: async ({ host }: { readonly host: string }) => {
      asked.push(host);
      throw new Error("no");
    },
  };
  const settled = () => Promise.resolve();
  const orders = new CertificateOrders({ store, clock, log: silentLog, authority, settled, routes: [] });
  orders.start();
  await clock.advance(MINUTE);
  const hosts = Array.from({ length: 12 }, (_, n) => `h${n}.example.org`);
  await expose(...hosts);
  await clock.advance(MINUTE);
  assert.deepEqual(asked.toSorted(), hosts.toSorted());
  await expose("late.example.org");
  await clock.advance(MINUTE);
  assert.ok(asked.includes("late.example.org"), "it is still followed");
  orders.stop();
  await store.close();
});
