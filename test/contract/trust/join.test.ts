/** Joining over a real listener: who gets in, who does not, and what each is told. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { identityFiles } from "../../../src/app/membership.ts";
import { NodeIdentity } from "../../../src/app/trust/node-identity.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../../../src/model/cluster-trust.ts";
import { hostCertificates } from "../../../src/model/host-certificate.ts";
import { joinTokens } from "../../../src/model/join-token.ts";
import { nodes } from "../../../src/model/node.ts";
import { ADMIN, hasJoined, openStage, ShiftedClock, type Stage } from "./stage.ts";

describe("a host that joins", () => {
  let stage: Stage;
  let at = 0;
  const fresh = () => stage.host(`host-${++at}`);
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());
  /** This machine joins in every test: what an earlier one left would make it a twin. */
  const clear = () =>
    stage.store.update((tx) => {
      for (const { metadata } of tx.list(hostCertificates)) tx.remove(hostCertificates, metadata.name);
      for (const { metadata } of tx.list(nodes)) tx.remove(nodes, metadata.name);
    });

  const refused = async (says: RegExp, token: string, more: Parameters<Stage["join"]>[2] = {}) => {
    const state = fresh();
    await assert.rejects(stage.join(state, token, more), says);
    assert.ok(!(await hasJoined(state)), "nothing of a cluster is written down after a refusal");
  };

  test("gets a certificate of 30 days for its own name, the CA, and the list of servers", async () => {
    await clear();
    const state = fresh();
    const membership = await stage.join(state, await stage.token());
    assert.deepEqual(membership.servers, ["https://127.0.0.1:1"]);
    const files = identityFiles(state);
    const certificate = new X509Certificate(await readFile(files.nodeCert));
    assert.equal(certificate.subject, "CN=web-1\nO=styrmann:node");
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    assert.ok(days > 29 && days <= 30, `${days} days`);
    assert.equal(await readFile(files.ca, "utf8"), stage.pki.server.caPem);
  });

  test("is told that it has joined already, and nothing is asked of the server again", async () => {
    await clear();
    const state = fresh();
    const token = await stage.token();
    const first = await stage.join(state, token);
    assert.deepEqual(await stage.join(state, token, { url: "https://127.0.0.1:9" }), first);
  });

  test("of another cluster is told how to leave that one", async () => {
    await clear();
    const [state, other] = [fresh(), await openStage()];
    await stage.join(state, await stage.token());
    await assert.rejects(other.join(state, await other.token()), /part of another cluster.*styr uninstall/);
    await other.close();
  });

  test("of a cluster that has changed its CA meanwhile is known by the old line, and joins anew by a new one when it is locked out", async () => {
    const other = await openStage();
    const [state, token] = [other.host("far"), await other.token()];
    await other.join(state, token);
    const first = await NodeIdentity.open(state);
    await other.as(ADMIN, "POST", "/styr/v1/ca/rotate");
    await leaveNewCaAlone(other);
    await other.pki.takeTrust((await trustIn(other)).spec, Date.now());
    const says = /does not show the CA that the token was made for/;
    assert.equal(
      (await other.join(state, token)).nodeName,
      "web-1",
      "it was this cluster's, and nothing says otherwise",
    );
    await assert.rejects(other.join(other.host("fresh"), token), says);
    await other.join(state, await other.token());
    assert.notEqual((await NodeIdentity.open(state)).current().certPem, first.current().certPem);
    await other.close();
  });

  test("where styr up has made a cluster of its own is told how to remove that", async () => {
    const state = fresh();
    await mkdir(state, { recursive: true });
    await writeFile(join(state, "store.db"), "");
    await assert.rejects(stage.join(state, await stage.token()), /cluster of its own.*styr down/);
  });

  test("with a token of another cluster's CA learns that before its secret leaves it", async () => {
    const other = await openStage();
    await refused(/does not show the CA that the token was made for/, await other.token());
    await other.close();
  });

  test("with a wrong secret is refused", async () => {
    await clear();
    const token = await stage.token();
    const { formatJoinToken, parseJoinToken } = await import("../../../src/trust/token-text.ts");
    const wrong = formatJoinToken({ ...parseJoinToken(token), secret: "A".repeat(32) });
    await refused(/does not know the token.*styr token create --role agent/, wrong);
  });

  test("with a token whose time is over hears since when, and how to get another", async () => {
    await clear();
    const token = await stage.token({ ttlMs: 5000 });
    await stage.store.update((tx) => {
      for (const one of tx.list(joinTokens))
        tx.update(joinTokens, {
          ...one,
          spec: { ...one.spec, expiresAt: new Date(Date.now() - 180_000).toISOString() },
        });
    });
    await refused(/expired 3m ago.*styr token create/, token);
  });

  test("with a token that another host has used up hears which host", async () => {
    await clear();
    const token = await stage.token();
    await stage.join(fresh(), token, { nodeName: "web-1" });
    await clear();
    await refused(/used up.*1 host, and web-1 joined with it/, token, { nodeName: "web-2" });
  });

  test("with a token that was revoked hears that", async () => {
    await clear();
    const token = await stage.token();
    const id = token.split(".")[2];
    assert.equal((await stage.as(ADMIN, "DELETE", `/styr/v1/join-tokens/${id}`)).status, 204);
    await refused(/was revoked at/, token);
  });

  test("whose clock is two hours ahead is told by how much, and how to set it", async () => {
    await clear();
    const clock = new ShiftedClock();
    clock.shiftMs = 7_200_000;
    await refused(/clock is 120m ahead of the server's.*timedatectl/, await stage.token(), { clock });
  });

  test("whose clock is half a minute off joins", async () => {
    await clear();
    const clock = new ShiftedClock();
    clock.shiftMs = -30_000;
    assert.ok(await stage.join(fresh(), await stage.token(), { clock }));
  });

  test("under a name that another machine has is told --node-name and styr forget", async () => {
    await clear();
    await stage.store.update((tx) => {
      tx.create(nodes, nodeOf("web-1", "0".repeat(32)));
    });
    await refused(/another machine.*--node-name.*styr forget web-1/, await stage.token());
  });

  test("that is a clone of another is told how to get a machine id of its own", async () => {
    await clear();
    await stage.join(fresh(), await stage.token(), { nodeName: "web-1" });
    await refused(/node web-1 has this machine id.*systemd-machine-id-setup/, await stage.token(), {
      nodeName: "web-2",
    });
  });

  test("of a version two minor ones apart is told which side to upgrade", async () => {
    await clear();
    await refused(/minor versions apart.*upgrade/, await stage.token(), { version: "0.3.0" });
  });

  test("under a name that is none is told what a name is", async () => {
    await refused(/cannot be a node's name/, await stage.token(), { nodeName: "Web_1,O=styrmann:admin" });
  });

  test("as a server is refused while the store is a file of one server, and told how to move it", async () => {
    const answer = await stage.as(ADMIN, "POST", "/styr/v1/join-tokens", { role: "server" });
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /styr store migrate/);
  });

  test("and whose answer was lost asks again with the same key, and has used the token once", async () => {
    await clear();
    const state = fresh();
    const token = await stage.token();
    await stage.join(state, token);
    // As a crash just before the last step leaves it.
    await mkdir(join(state, "joining"));
    await cp(identityFiles(state).nodeKey, join(state, "joining", "node.key"));
    await rm(join(state, "cluster.json"));
    assert.equal((await stage.join(state, token)).nodeName, "web-1");
    const used = stage.store.get(joinTokens, token.split(".")[2] ?? "")?.spec.used;
    assert.equal(used?.length, 1);
  });

  test("and whose certificate is taken back gets nothing for the token that it has used", async () => {
    const other = await openStage();
    const [state, again, token] = [other.host("first"), other.host("again"), await other.token()];
    await other.join(state, token);
    const revoked = await other.as(ADMIN, "POST", "/styr/v1/ca/revoke", { name: "web-1", role: "node" });
    assert.equal(revoked.status, 204);
    await mkdir(join(again, "joining"), { recursive: true });
    await cp(identityFiles(state).nodeKey, join(again, "joining", "node.key"));
    await assert.rejects(other.join(again, token), /used up/);
    assert.equal(other.store.get(joinTokens, token.split(".")[2] ?? "")?.spec.used.length, 1);
    await other.close();
  });

  test("and then removes itself cannot come back with the certificate it had", async () => {
    await clear();
    const state = fresh();
    await stage.join(state, await stage.token());
    const certificate = new X509Certificate(await readFile(identityFiles(state).nodeCert));
    const node = { name: "web-1", roles: ["node"] } as const;
    assert.equal((await stage.as(node, "POST", "/styr/v1/leave", {})).status, 204);
    await stage.pki.takeTrust((await trustIn(stage)).spec, Date.now());
    assert.equal(stage.pki.actorOfCertificate(certificate, Date.now()), undefined);
    // A new one is taken, also one that is got in the same second, by the host that still has the old one.
    await stage.join(state, await stage.token());
    const renewed = new X509Certificate(await readFile(identityFiles(state).nodeCert));
    assert.notEqual(renewed.fingerprint256, certificate.fingerprint256);
    assert.equal(stage.pki.actorOfCertificate(renewed, Date.now() + 2000)?.name, "web-1");
  });

  test("while no server can write asks again until one can", async () => {
    const other = await openStage();
    const token = await other.token();
    const trust = await trustIn(other);
    await other.store.update((tx) => tx.remove(clusterTrusts, CLUSTER_TRUST_NAME));
    const joining = other.join(other.host("patient"), token);
    // Its first attempt meets a server that has no CA to sign with yet.
    await other.clock.sleep(300);
    await other.store.update((tx) => {
      tx.create(clusterTrusts, { ...trust, metadata: { name: CLUSTER_TRUST_NAME } });
    });
    assert.equal((await joining).nodeName, "web-1");
    await other.close();
  });

  test("finds that too many ask from its address", async () => {
    const ask = () => stage.as({ name: "", roles: [] }, "POST", "/styr/v1/join", {});
    const statuses = new Set<number>();
    for (let n = 0; n < 60; n++) statuses.add((await ask()).status);
    assert.ok(statuses.has(429));
  });
});

async function trustIn({ store }: Stage) {
  const trust = store.get(clusterTrusts, CLUSTER_TRUST_NAME);
  assert.ok(trust);
  return trust;
}

/** As at the end of a change of the CA. */
async function leaveNewCaAlone(stage: Stage): Promise<void> {
  const { spec, ...trust } = await trustIn(stage);
  const { rotation: _, ...rest } = spec;
  const authorities = spec.authorities.slice(-1);
  await stage.store.update((tx) => tx.update(clusterTrusts, { ...trust, spec: { ...rest, authorities } }));
}

function nodeOf(name: string, machineID: string) {
  const nodeInfo = {
    machineID,
    bootID: "",
    kernelVersion: "",
    osImage: "",
    architecture: "",
    operatingSystem: "linux",
    containerRuntimeVersion: "",
    kubeletVersion: "",
  };
  const status = {
    capacity: {},
    allocatable: {},
    conditions: [],
    addresses: [],
    nodeInfo,
    drivers: {},
    dynamicPorts: [20000, 20999] as const,
  };
  return { apiVersion: "v1", kind: "Node" as const, metadata: { name }, spec: {}, status };
}
