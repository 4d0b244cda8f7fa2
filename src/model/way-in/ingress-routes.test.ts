import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Ingress } from "../ingress.ts";
import { ingressRoutes } from "./ingress-routes.ts";

const backend = { service: { name: "web", port: { number: 80 } } };
const rule = (host: string) => ({ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } });

function routes(spec: object, annotations: object = {}, metadata: object = {}) {
  const ingress = {
    ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", spec },
    metadata: { name: "i", namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z", annotations, ...metadata },
  };
  return ingressRoutes(ingress as unknown as Ingress, () => "7").routes;
}

describe("an Ingress as routes:", () => {
  test("a rule without paths sends its host to the default backend, and so does every other host", () => {
    const found = routes({ defaultBackend: backend, rules: [{ host: "a.example.org" }] });
    assert.deepEqual(
      found.map(({ host, path }) => `${host}${path}`),
      ["a.example.org/", "/"],
    );
  });

  test("an entry of tls without hosts is for all of them, and one with hosts for those first", () => {
    const tls = [{ secretName: "all" }, { hosts: ["B.example.org"], secretName: "b" }];
    const found = routes({ tls, rules: [rule("a.example.org"), rule("b.example.org")] });
    assert.deepEqual(
      found.map((route) => route.tls && "secret" in route.tls && route.tls.secret),
      ["shop/all", "shop/b"],
    );
  });

  test("an entry with a wildcard is for the hosts below it that none names, one name deep; those without any rule are said", () => {
    const tls = [
      { hosts: ["*.Wild.example.org", "gone.example.org"], secretName: "wild" },
      { hosts: ["b.wild.example.org"], secretName: "b" },
      { hosts: ["*.open.example.org"] },
    ];
    const hosts = ["a.wild.example.org", "b.wild.example.org", "a.b.wild.example.org", "a.open.example.org"];
    const found = routes({ tls, rules: hosts.map(rule) });
    const shown = found.map((route) => (route.tls && "secret" in route.tls ? route.tls.secret : undefined));
    assert.deepEqual(shown, ["shop/wild", "shop/b", undefined, "styr-system/tls.a.open.example.org"]);
    assert.deepEqual(
      found.map(({ redirectsToHttps }) => redirectsToHttps),
      [true, true, undefined, true],
    );
    assert.deepEqual(
      found.map(({ remarks }) => remarks),
      [["tls names gone.example.org, for which it has no rule"], undefined, undefined, undefined],
    );
  });

  test("a host with a certificate is sent to it unless that is taken back; one without only when that is asked for", () => {
    const tls = [{ hosts: ["a.example.org"], secretName: "a" }];
    const redirects = (spec: object, annotations = {}) => routes(spec, annotations)[0]?.redirectsToHttps;
    const nginx = "nginx.ingress.kubernetes.io/";
    assert.equal(redirects({ tls, rules: [rule("a.example.org")] }), true);
    assert.equal(redirects({ tls, rules: [rule("a.example.org")] }, { [`${nginx}ssl-redirect`]: "false" }), undefined);
    assert.equal(redirects({ rules: [rule("a.example.org")] }), undefined);
    assert.equal(redirects({ rules: [rule("a.example.org")] }, { [`${nginx}force-ssl-redirect`]: "true" }), true);
  });

  test("one that is being deleted has no routes, and one of another class neither", () => {
    assert.equal(routes({ rules: [rule("a.example.org")] }).length, 1);
    assert.deepEqual(routes({ rules: [rule("a.example.org")] }, {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }), []);
    assert.deepEqual(routes({ ingressClassName: "nginx", rules: [rule("a.example.org")] }), []);
  });
});
