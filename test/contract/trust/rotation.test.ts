/** The change of the CA: both are believed meanwhile, hosts that are away are waited for, and the old one goes. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { after, before, describe, test } from "node:test";
import type { StyrApiContext } from "../../../src/api/context.ts";
import { notFound, renderError } from "../../../src/api/errors.ts";
import { serverUrls, trustOf } from "../../../src/api/joining.ts";
import { ServerDesk } from "../../../src/api/server-desk.ts";
import { serverRoutes } from "../../../src/api/servers.ts";
import { identityFiles } from "../../../src/app/membership.ts";
import { keepCertificates } from "../../../src/app/trust/keep-certificates.ts";
import { NodeIdentity } from "../../../src/app/trust/node-identity.ts";
import { keepServerTrust } from "../../../src/app/trust/server-trust.ts";
import { caRotation } from "../../../src/controllers/ca-rotation.ts";
import { ControllerRunner } from "../../../src/controllers/runner.ts";
import { mountApis } from "../../../src/http/mount.ts";
import { hostCertificates } from "../../../src/model/host-certificate.ts";
import { servers } from "../../../src/model/server.ts";
import type { CaEndReport, CaReport } from "../../../src/model/trust-reports.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SystemRandom } from "../../../src/seams/random.ts";
import { newsOf } from "../../../src/trust/authorities.ts";
import { ADMIN, openStage, type Stage } from "./stage.ts";

describe("changing the CA", () => {
  let stage: Stage;
  let runner: ControllerRunner;
  const ending = new AbortController();
  const running: Promise<unknown>[] = [];
  const random = new SystemRandom();

  before(async () => {
    stage = await openStage();
    const { store, clock, pki, mounted } = stage;
    runner = new ControllerRunner({ store, controllers: [caRotation], clock, random, log: silentLog });
    runner.start();
    const common = { clock, random, log: silentLog, signal: ending.signal };
    const plane = () => ({ store, leads: true });
    running.push(keepServerTrust({ ...common, pki, plane, mounted, serverName: "srv" }));
  });
  after(async () => {
    ending.abort();
    await Promise.all(running);
    await runner.stop();
    await stage.close();
  });

  /** What an agent does with its files: it hears the news, and keeps its certificate. */
  const agent = async (state: string): Promise<NodeIdentity> => {
    const identity = await NodeIdentity.open(state);
    const { clock, store } = stage;
    const servers = () => [stage.url];
    running.push(keepCertificates({ identity, servers, clock, random, log: silentLog, signal: ending.signal }));
    running.push(
      (async () => {
        while (!ending.signal.aborted) {
          await identity.takeNews(newsOf(trustOf(store).spec, serverUrls(store, { url: stage.url })));
          await clock.sleep(50, ending.signal).catch(() => undefined);
        }
      })(),
    );
    return identity;
  };

  const report = async () => (await (await stage.as(ADMIN, "GET", "/styr/v1/ca")).json()) as CaReport;
  const until = async (what: string, holds: (report: CaReport) => boolean): Promise<CaReport> => {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const now = await report();
      if (holds(now)) return now;
      assert.ok(performance.now() < deadline, `${what}; instead: ${JSON.stringify(now)}`);
      await stage.clock.sleep(50);
    }
  };
  const status = (identity: Pick<NodeIdentity, "current">) =>
    new Promise<number>((resolve, reject) => {
      const { caPem: ca, certPem: cert, keyPem: key } = identity.current();
      const options = { method: "POST", ca, cert, key, agent: false } as const;
      const sent = request(new URL("/styr/v1/certificates", stage.url), options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on("error", reject);
      sent.end("{}");
    });

  /** The server hears of a change in the store within a second. */
  const serverBelievesOne = async (): Promise<string> => {
    const caPem = trustOf(stage.store).spec.authorities[0]?.certPem ?? "";
    const { publicKey } = new X509Certificate(caPem);
    const deadline = performance.now() + 10_000;
    while (stage.pki.server.caPem !== caPem || !new X509Certificate(stage.pki.server.certPem).verify(publicKey)) {
      assert.ok(performance.now() < deadline, "the listener believes and shows the new CA alone");
      await stage.clock.sleep(20);
    }
    return caPem;
  };

  test("a host that is away is named and waited for; with both CAs believed, old and new certificates are taken", async () => {
    const [here, away] = [stage.host("here"), stage.host("away")];
    await stage.join(here, await stage.token(), { nodeName: "here" });
    // The same machine twice: what is written down of the first one must not make it a twin.
    await stage.store.update((tx) => {
      const one = tx.get(hostCertificates, "node.here");
      if (one) tx.update(hostCertificates, { ...one, spec: { ...one.spec, machineId: "1".repeat(32) } });
    });
    await stage.join(away, await stage.token(), { nodeName: "away" });
    const identity = await agent(here);
    const before = await NodeIdentity.open(away);
    await until("the server has said what it has", ({ authorities }) => authorities[0]?.hosts === 3);

    assert.equal((await stage.as(ADMIN, "POST", "/styr/v1/ca/rotate")).status, 200);
    const waiting = await until(
      "only the one that is away is waited for",
      ({ rotation }) => rotation?.waitsFor.length === 1,
    );
    assert.equal(waiting.rotation?.step, "believe");
    assert.equal(waiting.rotation?.waitsFor[0]?.host, "away");
    assert.equal((await stage.as(ADMIN, "POST", "/styr/v1/ca/rotate")).status, 409, "one change at a time");

    const back = await agent(away);
    const ended = await until("the change has ended", ({ rotation }) => rotation === undefined);
    assert.equal(ended.authorities.length, 1);
    assert.equal(ended.authorities[0]?.hosts, 3, "every host has a certificate of the new CA");
    await serverBelievesOne();
    assert.equal(await status(identity), 400, "known, and the request is at fault");
    assert.equal(await status(back), 400);
    assert.equal(await status({ current: () => ({ ...before.current(), caPem: back.current().caPem }) }), 401);
    const written = await readFile(identityFiles(stage.host("server")).ca, "utf8");
    assert.equal(written, identity.current().caPem, "server and nodes have the same file");
    const admin = new X509Certificate(await readFile(stage.pki.files.adminCert));
    assert.deepEqual(stage.pki.actorOfCertificate(admin, Date.now())?.roles, ["admin"], "admin.crt is of the new CA");
  });

  test("the hosts that are given up are named and locked out; the others get their certificates first", async () => {
    const lost = stage.host("lost");
    await stage.store.update((tx) => {
      for (const one of tx.list(hostCertificates))
        tx.update(hostCertificates, { ...one, spec: { ...one.spec, machineId: "2".repeat(32) } });
    });
    await stage.join(lost, await stage.token(), { nodeName: "lost" });
    const identity = await NodeIdentity.open(lost);
    await stage.as(ADMIN, "POST", "/styr/v1/ca/rotate");
    const { rotation } = await until("only the lost one is waited for", (now) => now.rotation?.waitsFor.length === 1);
    assert.deepEqual(rotation?.waitsFor[0]?.heard, false);
    const finish = (giveUp: unknown) => stage.as(ADMIN, "POST", "/styr/v1/ca/rotate/finish", { giveUp });
    assert.equal((await finish(undefined)).status, 400, "nobody is locked out who was not named");
    assert.equal((await finish(["nobody"])).status, 404);
    const { lockedOut, waitsFor } = (await (await finish(["lost"])).json()) as CaEndReport;
    assert.deepEqual([lockedOut, waitsFor], [["lost"], []]);
    const { authorities } = await until("the change has ended", (now) => now.rotation === undefined);
    assert.equal(authorities[0]?.hosts, 3, "all but the lost one have a certificate of the new CA");
    const caPem = await serverBelievesOne();
    assert.equal(await status({ current: () => ({ ...identity.current(), caPem }) }), 401);
  });

  test("a server that runs no agent, and one that was forgotten, are not waited for", async () => {
    await stage.store.update((tx) => {
      for (const one of tx.list(hostCertificates)) {
        if (one.metadata.name === "node.lost") tx.remove(hostCertificates, "node.lost");
        // Joined long ago.
        if (one.metadata.name !== "node.here") continue;
        const spec = { ...one.spec, host: "idle", issuedAt: new Date(Date.now() - 3_600_000).toISOString() };
        const { apiVersion, kind } = one;
        for (const host of ["idle", "gone"])
          tx.create(hostCertificates, {
            apiVersion,
            kind,
            metadata: { name: `node.${host}` },
            spec: { ...spec, host },
          });
      }
      tx.create(servers, {
        ...{ apiVersion: servers.apiVersion, kind: "Server", metadata: { name: "gone" } },
        spec: { url: "https://gone:7443", version: "1" },
      });
    });
    const { store, clock } = stage;
    const desk = new ServerDesk({ store, clock, name: "srv", leadsSinceMs: () => clock.now() - 60_000 });
    const routes = serverRoutes({ store, clock, servers: desk } as unknown as StyrApiContext);
    const mounted = mountApis([{ name: "styr", prefixes: ["/styr"], routes, renderError, notFound }]);
    const asked = new Request("https://localhost/styr/v1/servers/gone", { method: "DELETE" });
    const from = { actor: ADMIN, remoteAddress: "local", origin: "https://localhost" };
    assert.equal((await mounted.handle(asked, from)).status, 204);
    assert.equal(store.get(hostCertificates, "node.gone"), undefined);
    await stage.as(ADMIN, "POST", "/styr/v1/ca/rotate");
    await until("the change has ended", ({ rotation }) => rotation === undefined);
    assert.ok(store.get(hostCertificates, "node.idle"), "it can still prove that it leaves");
  });
});
