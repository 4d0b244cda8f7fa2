/** The change of the CA: both are believed meanwhile, hosts that are away are waited for, and the old one goes. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { after, before, describe, test } from "node:test";
import { serverUrls, trustOf } from "../../../src/api/joining.ts";
import { identityFiles } from "../../../src/app/membership.ts";
import { keepCertificates } from "../../../src/app/trust/keep-certificates.ts";
import { NodeIdentity } from "../../../src/app/trust/node-identity.ts";
import { keepServerTrust } from "../../../src/app/trust/server-trust.ts";
import { caRotation } from "../../../src/controllers/ca-rotation.ts";
import { ControllerRunner } from "../../../src/controllers/runner.ts";
import { hostCertificates } from "../../../src/model/host-certificate.ts";
import type { CaReport } from "../../../src/model/trust-reports.ts";
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

  test("ended at once, it names who is locked out, and they are", async () => {
    const lost = stage.host("lost");
    await stage.store.update((tx) => {
      for (const one of tx.list(hostCertificates))
        tx.update(hostCertificates, { ...one, spec: { ...one.spec, machineId: "2".repeat(32) } });
    });
    await stage.join(lost, await stage.token(), { nodeName: "lost" });
    const identity = await NodeIdentity.open(lost);
    await stage.as(ADMIN, "POST", "/styr/v1/ca/rotate");
    await until("only the lost one is waited for", ({ rotation }) => rotation?.waitsFor.length === 1);
    const answer = await stage.as(ADMIN, "POST", "/styr/v1/ca/rotate/finish");
    // The others believe the new CA and have had no time to renew: they are named with it, and it is the caller's choice.
    const { lockedOut } = (await answer.json()) as { lockedOut: readonly string[] };
    assert.ok(lockedOut.includes("lost"));
    const caPem = await serverBelievesOne();
    assert.equal(await status({ current: () => ({ ...identity.current(), caPem }) }), 401);
  });
});
