import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exposures } from "../exposure.ts";
import { ingresses } from "../ingress.ts";
import type { WorkloadReader } from "../workload.ts";
import { acmeHosts, isRouteSecret } from "./route-secrets.ts";

/** Reads these Ingresses of namespace `shop`, and these exposures. */
function reader(specs: readonly object[], exposed: readonly object[] = []): WorkloadReader {
  const metadata = { name: "i", namespace: "shop", creationTimestamp: "" };
  const list = (kind: unknown, namespace?: string) => {
    if (kind === exposures) return exposed.map((spec) => ({ metadata: { name: "e" }, spec }));
    return kind === ingresses && namespace !== "bank" ? specs.map((spec) => ({ metadata, spec })) : [];
  };
  // An exposure of a whole host is named by it.
  const get = (_kind: unknown, key: string) => {
    const spec = exposed.find((each) => "host" in each && each.host === key && !("path" in each));
    return spec && { metadata: { name: key }, spec };
  };
  return { list, get } as unknown as WorkloadReader;
}

describe("what a way in may read:", () => {
  test("the Secret that an Ingress of ours names, in its own namespace; not that of another class's", () => {
    const tls = [{ hosts: ["a.example.org"], secretName: "a" }];
    assert.equal(isRouteSecret(reader([{ tls }]), "shop", "a"), true);
    assert.equal(isRouteSecret(reader([{ tls }]), "bank", "a"), false);
    assert.equal(isRouteSecret(reader([{ tls }]), "shop", "b"), false);
    assert.equal(isRouteSecret(reader([{ tls, ingressClassName: "nginx" }]), "shop", "a"), false);
    assert.equal(isRouteSecret(reader([], [{ host: "a.example.org", tls: { secret: "shop/a" } }]), "shop", "a"), true);
  });
});

describe("what a way in may read of what was ordered:", () => {
  const may = (host: string, ...all: Parameters<typeof reader>) =>
    isRouteSecret(reader(...all), "styr-system", `tls.${host}`);

  test("of hosts that somebody asks for by ACME, by whatever says so; not the account's key, nor what was ordered once", () => {
    const host = "a.example.org";
    assert.equal(may(host, [], [{ host, tls: { acme: true } }]), true);
    assert.equal(may(host, [], [{ host, path: "/x", tls: { acme: true } }]), true);
    assert.equal(may(host, [{ tls: [{ hosts: ["A.example.org"] }] }]), true);
    assert.equal(may(host, [], [{ host, tls: { secret: "shop/a" } }]), false);
    assert.equal(may(host, [{ tls: [{ hosts: [host], secretName: "a" }] }]), false);
    assert.equal(may("*.example.org", [], [{ host: "*.example.org", tls: { acme: true } }]), false);
    const asked = reader([], [{ host, tls: { acme: true } }]);
    assert.equal(isRouteSecret(asked, "styr-system", "acme-account"), false);
    assert.equal(isRouteSecret(asked, "shop", `tls.${host}`), false);
  });
});

describe("hosts whose certificates are ordered:", () => {
  test("those that no Secret is named for, and of an entry without hosts all of the rules; never a wildcard, nor a single word", () => {
    const rules = ["B.example.org", "*.example.org", "plain"].map((host) => ({ host }));
    assert.deepEqual(acmeHosts(reader([{ rules, tls: [{ hosts: ["a.example.org", "*.a.example.org"] }, {}] }])), [
      "a.example.org",
      "b.example.org",
    ]);
    assert.deepEqual(acmeHosts(reader([{ rules, tls: [{ secretName: "x" }] }])), []);
    const below = { rules: [{ host: "a.d.example.org" }], tls: [{ hosts: ["*.d.example.org"] }] };
    assert.deepEqual(acmeHosts(reader([below])), ["a.d.example.org"]);
    const wild = { host: "*.c.example.org", tls: { acme: true } };
    assert.deepEqual(acmeHosts(reader([], [wild, { host: "c.example.org", tls: { acme: true } }])), ["c.example.org"]);
  });
});
