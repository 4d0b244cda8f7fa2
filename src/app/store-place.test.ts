import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseStore, endpointsOf, SQLITE, storeOf } from "./store-place.ts";

describe("the store that is chosen", () => {
  test("hosts without a port get etcd's, doubles are one, and TLS is spoken where there is a CA", () => {
    const place = storeOf({ store: "etcd://a,b:2380,etcd://a:2379", storeCa: "/x/ca.crt" });
    assert.equal(place?.url, "etcd://a:2379,b:2380");
    assert.deepEqual(place && endpointsOf(place), ["https://a:2379", "https://b:2380"]);
    assert.deepEqual(endpointsOf({ url: "etcd://[::1]:2379" }), ["http://[::1]:2379"]);
  });

  const wrong: readonly (readonly [Parameters<typeof storeOf>[0], RegExp])[] = [
    [{ store: "mysql://a" }, /sqlite, or etcd:/],
    [{ store: "etcd://a:99999" }, /"a:99999" is not HOST:PORT/],
    [{ store: "etcd://" }, /is not HOST:PORT/],
    [{ storeCa: "x" }, /--store-ca goes with --store etcd/],
    [{ store: "sqlite", storeUser: "x" }, /--store-user is for etcd/],
    [{ store: "etcd://a", storeCert: "x" }, /--store-cert and --store-key go together/],
    [{ store: "etcd://a", storeUser: "x" }, /--store-user and --store-password-file go together/],
    [{ store: "etcd://a", storePrefix: "x" }, /it begins with "\/"/],
  ];
  for (const [given, words] of wrong)
    test(`${JSON.stringify(given)} is refused: ${words}`, () => assert.throws(() => storeOf(given), words));

  test("what is remembered is opened when nothing is said, and sqlite when nothing is remembered", () => {
    const etcd = { url: "etcd://a:2379" };
    assert.equal(chooseStore(undefined, etcd), etcd);
    assert.equal(chooseStore(undefined, undefined), SQLITE);
    assert.equal(chooseStore(etcd, undefined), etcd);
  });

  test("another store than the remembered one is refused, and the refusal names the command that moves it", () => {
    const etcd = { url: "etcd://a:2379,b:2379" };
    assert.throws(() => chooseStore(etcd, SQLITE), /styr store migrate --to etcd:\/\/a:2379,b:2379/);
    assert.throws(() => chooseStore(SQLITE, etcd), /styr store migrate --to sqlite/);
    assert.throws(() => chooseStore({ url: "etcd://x:2379" }, etcd), /styr store migrate/);
    assert.throws(() => chooseStore({ ...etcd, prefix: "/other/" }, etcd), /below \/other\//);
  });

  test("a member that came to the same etcd cluster, and other files, are no other store", () => {
    const given = { url: "etcd://b:2379,c:2379", ca: "/new" };
    assert.equal(chooseStore(given, { url: "etcd://a:2379,b:2379" }), given);
  });
});
