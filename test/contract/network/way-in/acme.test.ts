import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { AcmeAuthority } from "../../../../src/acme/acme-authority.ts";
import type { CertificateOrders } from "../../../../src/acme/certificate-orders.ts";
import { changeSettings } from "../../../../src/api/settings.ts";
import { certificateDesk } from "../../../../src/app/server/certificate-desk.ts";
import { Directory } from "../../../../src/directory/directory.ts";
import { directorySources } from "../../../../src/directory/sources.ts";
import { acmeChallenges } from "../../../../src/model/acme-challenge.ts";
import { events } from "../../../../src/model/event.ts";
import { type Exposure, exposures } from "../../../../src/model/exposure.ts";
import { type Ingress, ingresses } from "../../../../src/model/ingress.ts";
import { kernelKinds } from "../../../../src/model/kinds.ts";
import type { RouteEntry } from "../../../../src/model/network.ts";
import { secrets } from "../../../../src/model/secret.ts";
import { SystemClock } from "../../../../src/seams/clock.ts";
import { silentLog } from "../../../../src/seams/log.ts";
import { SystemRandom } from "../../../../src/seams/random.ts";
import { MemoryJournal } from "../../../../src/store/journals/memory.ts";
import { Store } from "../../../../src/store/store.ts";
import { AcmeServer } from "../../../harness/acme-server.ts";
import { Stage, until } from "./stage.ts";

describe("the way in: certificates by ACME:", () => {
  let stage: Stage;
  let authority: AcmeServer;
  let store: Store;
  let directory: Directory;
  let orders: CertificateOrders;
  const clock = new SystemClock();
  const reachable = new Set(["a.example.org"]);

  before(async () => {
    stage = await Stage.open();
    const lookUp = (host: string) => ({ address: "127.0.0.1", port: reachable.has(host) ? stage.http : 1 });
    authority = await AcmeServer.open({ lookUp });
    const parts = { clock, random: new SystemRandom(), log: silentLog };
    store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
    directory = new Directory({
      store,
      clock,
      log: silentLog,
      sources: () => directorySources({ discovery: { discover: [], publishers: [] } }),
    });
    orders = certificateDesk({
      store,
      clock,
      log: silentLog,
      authority: new AcmeAuthority(),
      directory,
      routes: [byLabels],
    });
    follow();
    directory.start();
    orders.start();
  });
  after(async () => {
    orders.stop();
    directory.stop();
    await store.close();
    await authority.close();
    await stage.close();
  });

  /** The node hears what the directory says, and fetches secrets from the store. */
  function follow(): void {
    let last = Promise.resolve();
    const seat = directory.subscribe({
      nodeName: "n1",
      settled: () => undefined,
      changed({ revision, changed }) {
        const found = [...changed].map(([key, id]) => ({ id, entry: directory.get(key)?.entry }));
        last = last
          .then(() => {
            for (const { data = {}, metadata } of store.list(secrets))
              stage.secrets[`${metadata.namespace}/${metadata.name}`] = Object.fromEntries(
                Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64").toString("utf8")]),
              );
            const gone = found.flatMap(({ id, entry }) => (entry ? [] : [id]));
            return stage.hear(
              found.flatMap(({ entry }) => (entry && entry.kind !== "cluster" ? [entry] : [])),
              gone,
            );
          })
          .then(() => seat.applied(revision));
      },
    });
  }

  /** Hosts that an app of Marathon's has had since ever. */
  const labelled: string[] = [];
  const byLabels = (): readonly RouteEntry[] =>
    labelled.map((host) => ({
      ...{ kind: "route", id: `marathon:${host}`, host, path: "/", pathType: "prefix" },
      ...{ service: "marathon:/shop", port: "80", source: "Marathon app /shop", since: "2020-01-01T00:00:00Z" },
    }));

  /** An Ingress of another namespace that wants the host, with a certificate. */
  function ask(host: string, name: string): Promise<Ingress> {
    const backend = { service: { name: "web", port: { number: 80 } } };
    const rules = [{ host, http: { paths: [{ path: "/", pathType: "Prefix" as const, backend }] } }];
    return store.update((tx) =>
      tx.create<Ingress>(ingresses, {
        ...{ apiVersion: ingresses.apiVersion, kind: "Ingress", metadata: { name, namespace: "team" } },
        ...{ spec: { rules, tls: [{ hosts: [host] }] }, status: {} },
      }),
    );
  }

  function expose(host: string, tls: Exposure["spec"]["tls"] = { acme: true }): Promise<Exposure> {
    const workload = { dialect: "marathon", name: "/web" };
    return store.update((tx) =>
      tx.create<Exposure>(exposures, {
        ...{ apiVersion: exposures.apiVersion, kind: "Exposure", metadata: { name: host } },
        spec: { host, path: "/", workload, tls },
      }),
    );
  }

  function shown(host: string): Promise<{ name: string; issuer: string }> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: stage.https, host: "127.0.0.1", servername: host, rejectUnauthorized: false });
      socket.on("error", reject);
      socket.on("secureConnect", () => {
        const { subject, issuer } = socket.getPeerCertificate();
        resolve({ name: String(subject.CN), issuer: String(issuer.CN) });
        socket.destroy();
      });
    });
  }

  test("nothing is ordered before somebody has accepted the terms", async () => {
    await expose("a.example.org");
    await changeSettings(store, { acmeDirectory: `${authority.url}/directory`, acmeEmail: "web@example.org" }, "test");
    await until(
      "the route is served",
      async () => (await stage.get("a.example.org").catch(() => ({ status: 0 }))).status === 503,
    );
    assert.deepEqual(authority.ordered, []);
  });

  test("the host is proved through the way in, and its certificate is shown from then on", async () => {
    await changeSettings(store, { acmeTermsAccepted: true }, "test");
    await until(
      "the certificate is shown",
      async () => (await shown("a.example.org")).name === "a.example.org",
      30_000,
    );
    assert.deepEqual(authority.proved, ["a.example.org"]);
    assert.match((await shown("a.example.org")).issuer, /^styrmann-ca/);
    const kept = store.get(secrets, "styr-system/tls.a.example.org");
    assert.equal(kept?.type, "kubernetes.io/tls");
    await until("no challenge is left", () => store.list(acmeChallenges).length === 0);
    assert.equal((await stage.get("a.example.org", "/.well-known/acme-challenge/x")).status, 503);
  });

  test("a host that cannot be proved is tried again later, not at once, and that is said", async () => {
    await expose("b.example.org");
    const refused = () => store.list(events).find(({ reason }) => reason === "CertificateRefused");
    await until("the refusal is said", () => refused() !== undefined, 30_000);
    assert.match(refused()?.message ?? "", /no certificate for b\.example\.org: .*tried again in 5 minutes/);
    await changeSettings(store, { brakeAtLeast: 3 }, "test");
    assert.deepEqual(authority.ordered, ["a.example.org", "b.example.org"]);
    assert.equal(authority.accounts, 1);
  });

  test("whose route lost its host to another namespace gets no certificate, until the host is nobody's", async () => {
    const lost = ["c.example.org", "d.example.org"];
    await expose("c.example.org", {});
    labelled.push("d.example.org");
    for (const host of lost) await ask(host, host.charAt(0));
    await ask("e.example.org", "e");
    const failed = (host: string) => store.list(events).some(({ message = "" }) => message.includes(`for ${host}:`));
    await until("the one that is nobody else's is tried", () => failed("e.example.org"), 30_000);
    assert.deepEqual(authority.ordered, ["a.example.org", "b.example.org", "e.example.org"]);
    await store.update((tx) => tx.remove(exposures, "c.example.org"));
    await until("it is ordered for who has the host now", () => failed("c.example.org"), 30_000);
    assert.ok(!authority.ordered.includes("d.example.org"), "a label of Marathon's has it");
  });

  test("the private keys of the account and of the certificate leave the cluster for nobody", () => {
    const key = Buffer.from(store.get(secrets, "styr-system/acme-account")?.data?.key ?? "", "base64").toString();
    assert.match(key, /PRIVATE KEY/);
  });
});
