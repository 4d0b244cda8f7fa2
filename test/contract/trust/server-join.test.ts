/** A second server gets all that the first one has, so that nothing is copied by hand. */
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readPlace } from "../../../src/app/instance.ts";
import { identityFiles } from "../../../src/app/membership.ts";
import { openPki } from "../../../src/app/pki.ts";
import { openStage } from "./stage.ts";

const KIT = {
  store: { url: "etcd://a:2379,b:2379", caPem: "the CA of etcd\n", user: "styr", password: "secret" },
  masterKey: "ab".repeat(32),
};

test("a host with a server token gets the CA with its key, the master key and the way to the store, for its owner alone", async () => {
  const stage = await openStage({ storeKit: async () => KIT });
  const state = stage.host("server-2");
  const membership = await stage.join(state, await stage.token({ role: "server" }), { nodeName: "server-2" });
  assert.equal(membership.role, "server");
  const pki = await openPki(state, Date.now(), { serverName: "server-2" });
  assert.equal(pki.caHash, stage.pki.caHash);
  const files = identityFiles(state);
  assert.equal((await readFile(files.masterKey, "utf8")).trim(), KIT.masterKey);
  const store = (await readPlace(state))?.store;
  assert.deepEqual(store, {
    url: KIT.store.url,
    ca: join(state, "pki", "store-ca.crt"),
    user: "styr",
    passwordFile: join(state, "pki", "store.password"),
  });
  for (const file of [files.caKey, files.masterKey, files.nodeKey, join(state, "pki", "store.password")])
    assert.equal((await stat(file)).mode & 0o077, 0, file);
  // The first server believes what the second one shows.
  const { X509Certificate } = await import("node:crypto");
  const actor = stage.pki.actorOfCertificate(new X509Certificate(pki.peer.certPem), Date.now());
  assert.deepEqual(actor, { name: "server-2", roles: ["server"] });
  await stage.close();
});

test("a host with a token for agents gets no key but its own", async () => {
  const stage = await openStage({ storeKit: async () => KIT });
  const state = stage.host("web-1");
  await stage.join(state, await stage.token({ role: "agent" }));
  const files = identityFiles(state);
  for (const file of [files.caKey, files.masterKey]) await assert.rejects(stat(file), /ENOENT/, file);
  await stage.close();
});
