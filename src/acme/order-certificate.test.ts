import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { acmeChallenges } from "../model/acme-challenge.ts";
import { events } from "../model/event.ts";
import { type Exposure, exposures } from "../model/exposure.ts";
import { kernelKinds } from "../model/kinds.ts";
import { secrets } from "../model/secret.ts";
import { acmeSecretName, CERTIFICATE_NAMESPACE } from "../model/way-in/acme-secret.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { Authority, Order } from "./authority.ts";
import { orderCertificate } from "./order-certificate.ts";

const HOST = "a.example.org";
const ACME = "https://acme.example.org/directory";

describe("one order of a certificate", () => {
  let store: Store;
  /** What happens at the authority while it looks for the proof. */
  let meanwhile: (order: Order) => Promise<void> | void;
  let orders: Order[];
  let settled: string[];

  const authority: Authority = {
    newAccountKey: async () => `key ${orders.length}`,
    async order(order) {
      orders.push(order);
      await meanwhile(order);
      return { certificate: `certificate ${orders.length}`, key: "k" };
    },
  };

  beforeEach(async () => {
    [orders, settled, meanwhile] = [[], [], () => undefined];
    const parts = { clock: new ManualClock(), random: new SeededRandom("order"), log: silentLog };
    store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
    await store.update((tx) =>
      tx.create<Exposure>(exposures, {
        ...{ apiVersion: exposures.apiVersion, kind: "Exposure", metadata: { name: HOST } },
        spec: { host: HOST, path: "/", workload: { dialect: "marathon", name: "/a" }, tls: { acme: true } },
      }),
    );
  });

  function order(directory = ACME, signal = new AbortController().signal): Promise<void> {
    const parts = {
      ...{ store, authority, settings: { acmeDirectory: directory, acmeEmail: "" } },
      settled: async (token: string) => void settled.push(token),
      askers: (reader: Pick<Store, "get">) => {
        const asker = reader.get(exposures, HOST);
        return asker && [asker];
      },
    };
    return orderCertificate(parts, HOST, signal);
  }

  const kept = () => {
    const text = store.get(secrets, `${CERTIFICATE_NAMESPACE}/${acmeSecretName(HOST)}`)?.data?.["tls.crt"];
    return text && Buffer.from(text, "base64").toString();
  };
  const reasons = () => store.list(events).map(({ reason }) => reason);

  test("ends with the certificate, and whoever asked for it is told", async () => {
    await order();
    assert.equal(kept(), "certificate 1");
    assert.deepEqual(reasons(), ["CertificateGiven"]);
  });

  test("has the account of the same authority, and of another one another", async () => {
    const other = "https://other.example.org/directory";
    for (const directory of [ACME, ACME, other, other, ACME]) await order(directory);
    assert.deepEqual(
      orders.map(({ accountKey }) => accountKey),
      ["key 0", "key 0", "key 2", "key 2", "key 4"],
      "what one authority knows an account by is not used with another",
    );
  });

  test("keeps nothing for a host that nobody asks for any more, and says so to nobody", async () => {
    meanwhile = () => store.update((tx) => tx.remove(exposures, HOST));
    await order();
    assert.equal(kept(), undefined);
    assert.deepEqual(reasons(), []);
  });

  test("keeps nothing that comes after it was given up", async () => {
    const stopping = new AbortController();
    meanwhile = () => stopping.abort(new Error("given up"));
    await order(ACME, stopping.signal);
    assert.equal(kept(), undefined);
  });

  test("gives one answer to a token that the authority asks for twice, and waits each time until all nodes give it", async () => {
    meanwhile = async ({ answer }) => {
      await answer("token", "proof");
      await answer("token", "proof");
    };
    await order();
    assert.equal(kept(), "certificate 1");
    assert.deepEqual(settled, ["token", "token"]);
    assert.deepEqual(
      store.list(acmeChallenges).map(({ spec }) => spec),
      [{ token: "token", answer: "proof", host: HOST }],
    );
  });
});
