import assert from "node:assert/strict";
import { test } from "node:test";
import { openAcmeStore } from "../../test/harness/acme-store.ts";
import { type Exposure, exposures } from "../model/exposure.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "./authority.ts";
import { CertificateOrders } from "./certificate-orders.ts";

const MINUTE = 60_000;

function expose(store: Store, ...hosts: readonly string[]): Promise<void> {
  return store.update((tx) => {
    for (const host of hosts)
      tx.create<Exposure>(exposures, {
        ...{ apiVersion: exposures.apiVersion, kind: "Exposure", metadata: { name: host } },
        spec: { host, path: "/", workload: { dialect: "marathon", name: "/a" }, tls: { acme: true } },
      });
  });
}

function refusing(asked: string[]): Authority {
  return {
    newAccountKey: async () => "key",
    order: async ({ host }) => {
      asked.push(host);
      throw new Error("no");
    },
  };
}

test("hosts that came with more changes at once than the store remembers are ordered at once, and those after them", async () => {
  const clock = new ManualClock();
  const store = await openAcmeStore(clock, 1, 4);
  const asked: string[] = [];
  const authority = refusing(asked);
  const settled = () => Promise.resolve();
  const orders = new CertificateOrders({ store, clock, log: silentLog, authority, settled, routes: [] });
  orders.start();
  await clock.advance(MINUTE);
  const hosts = Array.from({ length: 12 }, (_, n) => `h${n}.example.org`);
  await expose(store, ...hosts);
  await clock.advance(MINUTE);
  assert.deepEqual(asked.toSorted(), hosts.toSorted());
  await expose(store, "late.example.org");
  await clock.advance(MINUTE);
  assert.ok(asked.includes("late.example.org"), "it is still followed");
  orders.stop();
  await store.close();
});

/** On which each look for hosts takes a tenth of a second. */
class SlowClock extends ManualClock {
  looks = 0;

  override monotonic(): number {
    return super.monotonic() + this.looks * 100;
  }
}

test("changes that come faster than it can be looked for hosts are looked at together, and none is missed", async () => {
  const clock = new SlowClock();
  const store = await openAcmeStore(clock, 1, 100);
  const asked: string[] = [];
  const orders = new CertificateOrders({
    ...{ store, clock, log: silentLog, authority: refusing(asked), settled: () => Promise.resolve() },
    routes: [
      () => {
        clock.looks++;
        return [];
      },
    ],
  });
  await expose(store, "first.example.org");
  orders.start();
  await clock.advance(5_000);
  clock.looks = 0;
  for (let n = 0; n < 50; n++) {
    await store.update((tx) => {
      const one = tx.get(exposures, "first.example.org") as Exposure;
      tx.update(exposures, { ...one, metadata: { ...one.metadata, labels: { n: String(n) } } });
    });
    await clock.advance(10);
  }
  assert.ok(clock.looks <= 2, `${clock.looks} looks in half a second`);
  await expose(store, "last.example.org");
  await clock.advance(1_200);
  assert.deepEqual(asked, ["first.example.org", "last.example.org"]);
  orders.stop();
  await store.close();
});
