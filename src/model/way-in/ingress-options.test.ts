import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ingressOptions } from "./ingress-options.ts";

function made(annotations: Readonly<Record<string, string>>) {
  const named = Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]);
  return ingressOptions(Object.fromEntries(named));
}

describe("annotations of an Ingress:", () => {
  test("those that are done", () => {
    assert.deepEqual(
      made({ affinity: "cookie", "backend-protocol": "GRPC", "rewrite-target": "/", "ssl-redirect": "false" }),
      { options: { sticky: true, backendProtocol: "h2c", rewritePath: "/" } },
    );
    assert.deepEqual(made({ "backend-protocol": "HTTP" }), {});
  });

  test("who may ask, by address", () => {
    const { options, unguarded } = made({
      "whitelist-source-range": "10.0.0.0/8, 192.0.2.1",
      "denylist-source-range": "10.9.0.0/16",
    });
    assert.deepEqual(options, { allowFrom: ["10.0.0.0/8", "192.0.2.1"], denyFrom: ["10.9.0.0/16"] });
    assert.equal(unguarded, undefined);
    assert.deepEqual(made({ "allowlist-source-range": "2001:db8::/32" }).options, { allowFrom: ["2001:db8::/32"] });
    assert.equal(made({ "whitelist-source-range": "" }).options, undefined);
  });

  const guards: readonly (readonly [string, string, boolean])[] = [
    ["auth-type", "basic", true],
    ["auth-secret", "users", true],
    ["auth-url", "https://login.example.org", true],
    ["auth-tls-secret", "shop/ca", true],
    ["satisfy", "any", true],
    ["limit-rps", "5", true],
    ["enable-modsecurity", "true", true],
    ["enable-modsecurity", "false", false],
    ["server-snippet", "location /x { deny all; }", true],
    ["configuration-snippet", 'auth_basic "x";', true],
    ["configuration-snippet", "if ($x) { return 403; }", true],
    ["configuration-snippet", "more_set_headers 'Access-Control-Allow-Headers: Authorization'; return 204;", false],
    ["proxy-body-size", "8m", false],
  ];
  for (const [name, value, guarded] of guards)
    test(`${name}: ${value} ${guarded ? "keeps somebody out, and is not done" : "keeps nobody out"}`, () =>
      assert.deepEqual(made({ [name]: value }).unguarded, guarded ? [name] : undefined));

  test("those that are not, and values that are not, are said with the route", () => {
    const { options, remarks } = made({
      "proxy-body-size": "8m",
      "rewrite-target": "/$2",
      affinity: "ip",
      "backend-protocol": "FCGI",
    });
    assert.equal(options, undefined);
    assert.deepEqual(remarks, [
      "affinity: ip is not done",
      "backend-protocol: FCGI is not done",
      "proxy-body-size is not done",
      "rewrite-target: /$2 is not done",
    ]);
    assert.deepEqual(ingressOptions({ "example.org/mine": "x" }), {});
  });
});
