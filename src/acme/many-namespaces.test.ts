/** Certificates of namespaces that know nothing of each other: what one of them orders is not to cost another its own. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { openAcmeStore } from "../../test/harness/acme-store.ts";
import { acmeOrders } from "../model/acme-orders.ts";
import { acmeRefusals } from "../model/acme-refusal.ts";
import { type Ingress, ingresses } from "../model/ingress.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { Store } from "../store/store.ts";
import { issueCa } from "../trust/issue-certificate.ts";
import type { Order, OrderedCertificate } from "./authority.ts";
import { CertificateOrders } from "./certificate-orders.ts";
import { keepCertificate } from "./kept.ts";
import { RateLimited } from "./rate-limited.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BANK = "bank.example.org";

describe("certificates of several namespaces:", () => {
  let clock: ManualClock;
  let store: Store;
  let orders: CertificateOrders | undefined;
  let asked: string[];
  let answer: (order: Order) => Promise<OrderedCertificate>;

  beforeEach(async () => {
    clock = new ManualClock();
    asked = [];
    store = await openAcmeStore(clock, "turns");
  });
  afterEach(async () => {
    orders?.stop();
    await store.close();
  });

  function lead(): void {
    orders?.stop();
    const order = (each: Order) => {
      asked.push(each.host);
      return answer(each);
    };
    const authority = { newAccountKey: async () => "key", order };
    const settled = () => Promise.resolve();
    orders = new CertificateOrders({ store, clock, log: silentLog, authority, settled, routes: [] });
    orders.start();
  }

  /** All hosts of the namespace's one Ingress. */
  function ask(namespace: string, ...hosts: readonly string[]): Promise<void> {
    const backend = { service: { name: "web", port: { number: 80 } } };
    const paths = [{ path: "/", pathType: "Prefix" as const, backend }];
    const spec = { tls: [{ hosts }], rules: hosts.map((host) => ({ host, http: { paths } })) };
    return store.update((tx) => {
      const before = tx.get(ingresses, `${namespace}/web`);
      if (before) tx.update(ingresses, { ...before, spec });
      else
        tx.create<Ingress>(ingresses, {
          ...{ apiVersion: ingresses.apiVersion, kind: "Ingress", spec, status: {} },
          metadata: { name: "web", namespace },
        });
    });
  }

  async function issued(days: number): Promise<OrderedCertificate> {
    const { certPem, keyPem } = await issueCa(clock.now(), clock.now() + days * DAY);
    return { certificate: certPem, key: keyPem };
  }

  const names = (count: number, start: string) => Array.from({ length: count }, (_, n) => `${start}${n}.example.net`);

  /** Of a shop that asks for twenty hosts of no meaning, and for twenty others every 40 s. */
  async function renameFor(ms: number): Promise<void> {
    const until = clock.monotonic() + ms;
    for (let n = 0; clock.monotonic() < until; n++) {
      await ask("shop", ...names(20, `x${n}-`));
      await clock.advance(40_000);
    }
  }

  test("a namespace whose hosts are others every 40 seconds delays no renewal of another, and its orders are bounded", async () => {
    await ask("bank", BANK);
    const [first, second] = [await issued(90), await issued(180)];
    await store.update((tx) => keepCertificate(tx, BANK, first));
    answer = async ({ host }) => {
      if (host === BANK) return second;
      await clock.sleep(10_000);
      throw new Error("unauthorized");
    };
    lead();
    // Its life began an hour early: it is due at 60 days less 20 minutes.
    await clock.advance(60 * DAY - 30 * MINUTE);
    assert.deepEqual(asked, []);
    await renameFor(12 * MINUTE);
    assert.equal(asked.filter((host) => host === BANK).length, 1, "it is renewed within two minutes");
    await renameFor(4 * HOUR);
    assert.ok(asked.length < 2 * 104 + 1, `${asked.length} orders in less than four and a half hours`);
    assert.ok(store.list(acmeRefusals).length <= 104, "what is remembered of it is bounded, too");
    await ask("other", "new.example.org");
    await clock.advance(MINUTE);
    assert.equal(asked.at(-1), "new.example.org", "another namespace has its own share");
  });

  test("who leads next goes on counting", async () => {
    answer = () => Promise.reject(new Error("unauthorized"));
    await ask("shop", ...names(300, "a"));
    lead();
    await clock.advance(MINUTE);
    lead();
    await clock.advance(MINUTE);
    assert.ok(asked.length <= 104, `${asked.length}`);
    assert.equal(store.list(acmeOrders)[0]?.spec.orders.length, asked.length);
    await clock.advance(3 * HOUR);
    assert.ok(asked.length > 190, "they go on when those are three hours ago");
  });

  test("orders of one namespace that do not end leave another's renewal its place", async () => {
    await ask("shop", ...names(20, "a"));
    answer = ({ host }) => (host === BANK ? Promise.reject(new Error("no")) : new Promise(() => undefined));
    lead();
    await clock.advance(1_000);
    assert.equal(asked.length, 4);
    const over = await issued(1);
    await store.update((tx) => keepCertificate(tx, BANK, over));
    await clock.advance(DAY);
    asked.length = 0;
    await ask("bank", BANK);
    await clock.advance(1_000);
    assert.deepEqual(asked, [BANK]);
  });

  test("an authority that takes no more of the account stops first orders of all, and doubles nobody's wait", async () => {
    let isBusy = true;
    answer = () => Promise.reject(isBusy ? new RateLimited("too many new orders", "1200") : new Error("unauthorized"));
    await ask("shop", "a.example.net");
    lead();
    await clock.advance(1_000);
    await ask("bank", BANK);
    await clock.advance(19 * MINUTE);
    assert.deepEqual(asked, ["a.example.net"]);
    lead();
    await clock.advance(30_000);
    assert.equal(asked.length, 1, "who leads next knows it");
    await clock.advance(MINUTE);
    assert.deepEqual(asked.toSorted(), ["a.example.net", "a.example.net", BANK]);
    isBusy = false;
    await clock.advance(20 * MINUTE);
    assert.deepEqual(
      store.list(acmeRefusals).map(({ spec }) => spec.failures),
      [1, 1],
    );
  });

  test("whoever uses up what the authority takes of his own domain stops himself alone", async () => {
    const words = 'too many certificates (50) already issued for "example.net"';
    answer = ({ host }) => Promise.reject(host === BANK ? new Error("no") : new RateLimited(words, "1200"));
    await ask("shop", "a.example.net");
    lead();
    await clock.advance(1_000);
    await ask("bank", BANK);
    await clock.advance(1_000);
    assert.deepEqual(asked, ["a.example.net", BANK]);
  });
});
