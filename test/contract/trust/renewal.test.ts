/** Certificates are renewed before they end, and a certificate that was taken back is of no use. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import { trustOf } from "../../../src/api/joining.ts";
import { openPki } from "../../../src/app/pki.ts";
import { keepCertificates } from "../../../src/app/trust/keep-certificates.ts";
import { NodeIdentity } from "../../../src/app/trust/node-identity.ts";
import { hostCertificates } from "../../../src/model/host-certificate.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { ManualClock } from "../../../src/seams/manual-clock.ts";
import { SystemRandom } from "../../../src/seams/random.ts";
import { ADMIN, openStage } from "./stage.ts";

const DAY_MS = 86_400_000;

test("a node asks for a new certificate with a third of its life left, with a new key, and not before", async () => {
  const clock = new ManualClock(Date.now());
  const stage = await openStage({ at: clock });
  const state = stage.host("web-1");
  await stage.join(state, await stage.token(), { clock });
  const identity = await NodeIdentity.open(state);
  const first = identity.current();
  const asked: string[] = [];
  const ending = new AbortController();
  const node = { name: "web-1", roles: ["node"] } as const;
  const keeping = keepCertificates({
    ...{ identity, clock, random: new SystemRandom(), log: silentLog, signal: ending.signal, servers: () => [] },
    ask: async (body) => {
      asked.push(body.csrPem === undefined ? "told" : "renewed");
      const answer = await stage.as(node, "POST", "/styr/v1/certificates", body);
      return { status: answer.status, text: await answer.text() };
    },
  });
  await passing(clock, () => asked.length === 1, "the cluster is told whom the node believes");
  await clock.advance(19.9 * DAY_MS);
  assert.deepEqual(asked, ["told"], "nothing is renewed in the first two thirds");
  await passing(clock, () => identity.current() !== first, "the certificate is renewed", 0.2 * DAY_MS);
  const renewed = identity.current();
  assert.notEqual(renewed.keyPem, first.keyPem);
  const daysLeft = (Date.parse(new X509Certificate(renewed.certPem).validTo) - clock.now()) / DAY_MS;
  assert.ok(daysLeft > 29.7, `${daysLeft} days`);
  assert.deepEqual((await NodeIdentity.open(state)).current(), renewed, "a restart finds the new pair");
  assert.equal(
    stage.store.get(hostCertificates, "node.web-1")?.spec.serial,
    new X509Certificate(renewed.certPem).serialNumber.toLowerCase(),
  );
  ending.abort();
  await passing(clock, () => true, "");
  await keeping;
  await stage.close();
});

test("a server's own certificates are renewed while it runs, and whoever listens is told", async () => {
  const stage = await openStage();
  let changes = 0;
  stage.pki.onChange(() => changes++);
  const before = stage.pki.peer.certPem;
  await stage.pki.renew(Date.now() + 19 * DAY_MS);
  assert.equal(stage.pki.peer.certPem, before);
  await stage.pki.renew(Date.now() + 21 * DAY_MS);
  assert.notEqual(stage.pki.peer.certPem, before);
  assert.equal(changes, 1);
  await stage.close();
});

test("a server that gets another name gets another certificate", async () => {
  const stage = await openStage();
  const pki = await openPki(stage.host("server"), Date.now(), { serverName: "srv", names: ["styr.example"] });
  const certificate = new X509Certificate(pki.server.certPem);
  assert.ok(certificate.checkHost("styr.example"));
  assert.ok(certificate.checkIP("127.0.0.1"));
  assert.equal(pki.caHash, stage.pki.caHash);
  await stage.close();
});

describe("a node", () => {
  test("gets a certificate for itself alone, whatever its request says", async () => {
    const stage = await openStage();
    const { newKeyPem, requestFor } = await import("../../../src/trust/issue-certificate.ts");
    const body = { csrPem: await requestFor(await newKeyPem()), believes: [] };
    const answer = await stage.as({ name: "web-1", roles: ["node"] }, "POST", "/styr/v1/certificates", body);
    const { certPem } = (await answer.json()) as { certPem: string };
    assert.equal(new X509Certificate(certPem).subject, "CN=web-1\nO=styrmann:node");
    await stage.close();
  });

  test("cannot say that it has the certificate of another", async () => {
    const stage = await openStage();
    const { certPem } = stage.pki.peer;
    const node = { name: "web-1", roles: ["node"] } as const;
    const answer = await stage.as(node, "POST", "/styr/v1/certificates", { certPem, believes: [] });
    assert.equal(answer.status, 403);
    await stage.close();
  });

  test("cannot make tokens, see them, or change the CA", async () => {
    const stage = await openStage();
    const node = { name: "web-1", roles: ["node"] } as const;
    for (const [method, path] of [
      ["POST", "/styr/v1/join-tokens"],
      ["GET", "/styr/v1/join-tokens"],
      ["POST", "/styr/v1/ca/rotate"],
      ["POST", "/styr/v1/ca/revoke"],
    ] as const)
      assert.equal((await stage.as(node, method, path, method === "GET" ? undefined : {})).status, 403, path);
    await stage.close();
  });
});

test("an admin certificate that was taken back is nobody's, and its server makes another", async () => {
  const stage = await openStage();
  const { readFile } = await import("node:fs/promises");
  const read = async () => new X509Certificate(await readFile(stage.pki.files.adminCert));
  const stolen = await read();
  assert.equal(stage.pki.actorOfCertificate(stolen, Date.now())?.name, "admin");
  await stage.as(ADMIN, "POST", "/styr/v1/ca/revoke", { name: "admin", role: "admin" });
  await stage.pki.takeTrust(trustOf(stage.store).spec, Date.now());
  assert.equal(stage.pki.actorOfCertificate(stolen, Date.now()), undefined);
  assert.equal(stage.pki.actorOfCertificate(await read(), Date.now() + 2000)?.name, "admin");
  await stage.close();
});

/** Lets time pass a minute at a time until it holds; files and keys are made by threads that no clock owns. */
async function passing(clock: ManualClock, holds: () => boolean, what: string, mostMs = 3_600_000): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (let passedMs = 0; ; passedMs += passedMs < mostMs ? 60_000 : 0) {
    await clock.advance(passedMs < mostMs ? 60_000 : 0);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (holds()) return;
    assert.ok(performance.now() < deadline, what);
  }
}
