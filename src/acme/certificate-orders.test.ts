import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, beforeEach, describe, test } from "node:test";
import { acmeChallenges } from "../model/acme-challenge.ts";
import { acmeRefusals } from "../model/acme-refusal.ts";
import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettings,
  type ClusterSettingsSpec,
  clusterSettings,
  DEFAULT_CLUSTER_SETTINGS,
} from "../model/cluster-settings.ts";
import { type Exposure, exposures } from "../model/exposure.ts";
import { kernelKinds } from "../model/kinds.ts";
import { secrets } from "../model/secret.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { issueCa } from "../trust/issue-certificate.ts";
import type { Authority, Order, OrderedCertificate } from "./authority.ts";
import { CertificateOrders } from "./certificate-orders.ts";
import { keepCertificate } from "./kept.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe("orders of certificates:", () => {
  let clock: ManualClock;
  let store: Store;
  let orders: CertificateOrders;
  let asked: string[];
  let accounts: number;
  /** What becomes of an order; by itself it is refused. */
  let answer: (order: Order) => Promise<OrderedCertificate>;
  const running: CertificateOrders[] = [];

  const authority: Authority = {
    async newAccountKey() {
      const name = `account ${++accounts}`;
      await clock.sleep(10);
      return name;
    },
    order(order) {
      asked.push(order.host);
      return answer(order);
    },
  };

  beforeEach(async () => {
    clock = new ManualClock();
    [asked, accounts] = [[], 0];
    answer = () => Promise.reject(new Error("no"));
    const parts = { clock, random: new SeededRandom(1), log: silentLog };
    store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
    await set({ acmeTermsAccepted: true });
  });
  after(() => {
    for (const each of running) each.stop();
  });

  async function set(spec: Partial<ClusterSettingsSpec>): Promise<void> {
    await store.update((tx) => {
      const was = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME);
      const now = { ...DEFAULT_CLUSTER_SETTINGS, ...was?.spec, ...spec };
      if (was) tx.update(clusterSettings, { ...was, spec: now });
      else
        tx.create<ClusterSettings>(clusterSettings, {
          ...{ apiVersion: clusterSettings.apiVersion, kind: "ClusterSettings", spec: now },
          metadata: { name: CLUSTER_SETTINGS_NAME },
        });
    });
  }

  function expose(...hosts: readonly string[]): Promise<void> {
    return store.update((tx) => {
      for (const host of hosts)
        tx.create<Exposure>(exposures, {
          ...{ apiVersion: exposures.apiVersion, kind: "Exposure", metadata: { name: host } },
          spec: { host, path: "/", workload: { dialect: "marathon", name: "/a" }, tls: { acme: true } },
        });
    });
  }

  function lead(): void {
    orders?.stop();
    const settled = () => Promise.resolve();
    orders = new CertificateOrders({ store, clock, log: silentLog, authority, settled, routes: [] });
    running.push(orders);
    orders.start();
  }

  /** Made before the clock goes on: making it takes time of another clock. */
  async function issued(days: number, inDays = 0): Promise<OrderedCertificate> {
    const from = clock.now() + inDays * DAY;
    const { certPem, keyPem } = await issueCa(from, from + days * DAY);
    return { certificate: certPem, key: keyPem };
  }

  function keep(host: string, certificate: OrderedCertificate): Promise<void> {
    return store.update((tx) => keepCertificate(tx, host, certificate));
  }

  test("what was refused is remembered by whoever leads next, and tried again after 5 minutes, then 10", async () => {
    await expose("a.example.org");
    lead();
    for (let n = 0; n < 5; n++) {
      await clock.advance(1_000);
      lead();
    }
    await clock.advance(4 * MINUTE);
    assert.equal(asked.length, 1);
    assert.equal(store.get(acmeRefusals, "a.example.org")?.spec.why, "no");
    await clock.advance(2 * MINUTE);
    assert.equal(asked.length, 2);
    lead();
    await clock.advance(8 * MINUTE);
    assert.equal(asked.length, 2);
    await clock.advance(3 * MINUTE);
    assert.equal(asked.length, 3);
  });

  test("another authority, or another account, may give what this one refused: it is asked at once", async () => {
    await expose("a.example.org");
    lead();
    await clock.advance(1_000);
    await set({ brakeAtLeast: 7 });
    await clock.advance(1_000);
    assert.equal(asked.length, 1);
    await set({ acmeEmail: "web@example.org" });
    await clock.advance(1_000);
    assert.equal(asked.length, 2);
    await set({ acmeDirectory: "https://acme.example.org/directory" });
    await clock.advance(1_000);
    assert.equal(asked.length, 3);
  });

  test("nothing is ordered until the terms are accepted, nor after that was taken back", async () => {
    await set({ acmeTermsAccepted: false });
    await expose("a.example.org");
    lead();
    await clock.advance(MINUTE);
    assert.deepEqual(asked, []);
    await set({ acmeTermsAccepted: true });
    await clock.advance(1_000);
    await set({ acmeTermsAccepted: false });
    await clock.advance(60 * MINUTE);
    assert.deepEqual(asked, ["a.example.org"]);
  });

  test("an authority that does not end some orders holds up no others; who never failed comes first", async () => {
    const slow = ["a", "b", "c"].map((name) => `${name}.example.org`);
    answer = ({ host }) => (slow.includes(host) ? new Promise(() => undefined) : Promise.reject(new Error("no")));
    await expose(...slow, "y.example.org", "z.example.org");
    lead();
    await clock.advance(1_000);
    assert.deepEqual(asked, [...slow, "y.example.org", "z.example.org"]);
    await clock.advance(5 * MINUTE);
    assert.match(store.get(acmeRefusals, slow[0] ?? "")?.spec.why ?? "", /has not given it within 5 minutes/);
    await expose("new.example.org");
    await clock.advance(1_000);
    assert.equal(asked.at(-1), "new.example.org");
  });

  test("at most four orders are under way at once, of one account", async () => {
    const hosts = Array.from({ length: 9 }, (_, at) => `h${at}.example.org`);
    answer = () => new Promise(() => undefined);
    await expose(...hosts);
    lead();
    await clock.advance(1_000);
    assert.deepEqual(asked, hosts.slice(0, 4));
    const key = Buffer.from(store.get(secrets, "styr-system/acme-account")?.data?.key ?? "", "base64").toString();
    assert.equal(key, "account 1");
    await clock.advance(5 * MINUTE);
    assert.deepEqual(asked.slice(4), hosts.slice(4, 8));
  });

  test("an order that was given up leaves no proof, however late it goes on; nor does a server that led before", async () => {
    answer = async ({ answer: give }) => {
      await give("early", "x");
      await clock.sleep(6 * MINUTE);
      await give("late", "x");
      throw new Error("no");
    };
    await expose("a.example.org");
    lead();
    await clock.advance(1_000);
    assert.deepEqual(
      store.list(acmeChallenges).map(({ spec }) => spec.token),
      ["early"],
    );
    await clock.advance(7 * MINUTE);
    assert.deepEqual(store.list(acmeChallenges), []);
    await clock.advance(60 * MINUTE);
    orders.stop();
    await store.update((tx) =>
      tx.create(acmeChallenges, {
        ...{ apiVersion: acmeChallenges.apiVersion, kind: "AcmeChallenge", metadata: { name: "left" } },
        spec: { token: "t", answer: "x", host: "gone.example.org" },
      }),
    );
    lead();
    await clock.advance(1_000);
    assert.equal(store.get(acmeChallenges, "left"), undefined);
  });

  test("a certificate that cannot be read, or is over when it comes, is not ordered without end", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    answer = async () => ({ certificate: "none", key });
    await expose("a.example.org");
    lead();
    await clock.advance(4 * MINUTE);
    assert.equal(asked.length, 1);
    assert.match(store.get(acmeRefusals, "a.example.org")?.spec.why ?? "", /clock of this server/);
  });

  test("a certificate is renewed when a third of its life is left, and not before; one that is over, at once", async () => {
    const given: string[] = [];
    const [first, second] = [await issued(90), await issued(90, 59)];
    answer = async ({ host }) => {
      given.push(`${host} day ${Math.floor(clock.monotonic() / DAY)}`);
      return given.length === 1 ? first : second;
    };
    await expose("a.example.org");
    await keep("b.example.org", await issued(2));
    lead();
    await clock.advance(1_000);
    assert.deepEqual(given, ["a.example.org day 0"]);
    await clock.advance(59 * DAY);
    assert.deepEqual(given.slice(1), []);
    await expose("b.example.org");
    await clock.advance(1_000);
    assert.deepEqual(given.slice(1), ["b.example.org day 59"]);
    await clock.advance(2 * DAY);
    // Its life began an hour before it was given.
    assert.deepEqual(given.slice(2), ["a.example.org day 59"]);
  });

  test("a certificate that nobody wants any more when it comes is not kept, and refuses nobody", async () => {
    const certificate = await issued(90);
    answer = async () => {
      await clock.sleep(MINUTE);
      return certificate;
    };
    await expose("a.example.org");
    lead();
    await clock.advance(1_000);
    await store.update((tx) => tx.remove(exposures, "a.example.org"));
    await clock.advance(2 * MINUTE);
    assert.equal(store.get(secrets, "styr-system/tls.a.example.org"), undefined);
    assert.deepEqual([store.list(acmeRefusals), store.list(acmeChallenges)], [[], []]);
  });

  test("each authority has an account of its own; what was refused once is forgotten with the certificate", async () => {
    await expose("a.example.org");
    lead();
    await clock.advance(1_000);
    assert.equal(store.list(acmeRefusals).length, 1);
    const keys: string[] = [];
    const certificate = await issued(90);
    answer = async ({ accountKey }) => {
      keys.push(accountKey);
      return certificate;
    };
    await set({ acmeDirectory: "https://acme.example.org/directory" });
    await clock.advance(1_000);
    assert.deepEqual(keys, ["account 2"]);
    assert.deepEqual(store.list(acmeRefusals), []);
  });

  test("who does not want it any more is forgotten, once nothing has to wait for it", async () => {
    await expose("a.example.org");
    lead();
    await clock.advance(1_000);
    await store.update((tx) => tx.remove(exposures, "a.example.org"));
    await clock.advance(30 * MINUTE);
    await expose("b.example.org");
    await clock.advance(1_000);
    assert.deepEqual(
      store.list(acmeRefusals).map(({ spec }) => spec.host),
      ["b.example.org"],
    );
  });
});
