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

  const others: readonly (readonly [key: string, value: string])[] = [
    ["haproxy.org/auth-type", "basic-auth"],
    ["haproxy.org/rate-limit-requests", "10"],
    ["haproxy.org/route-acl", "hdr(x) -m found"],
    ["haproxy.org/backend-config-snippet", "http-request deny if !ours"],
    ["haproxy-ingress.github.io/oauth", "oauth2_proxy"],
    ["haproxy-ingress.github.io/config-backend", "http-request deny"],
    ["haproxy-ingress.github.io/allowlist-source-header", "X-Real-IP"],
    ["ingress.kubernetes.io/auth-url", "https://login.example.org"],
    ["traefik.ingress.kubernetes.io/router.middlewares", "default-auth@kubernetescrd"],
    ["traefik.ingress.kubernetes.io/router.tls.options", "default-mtls@kubernetescrd"],
    ["traefik.ingress.kubernetes.io/router.entrypoints", "websecure,intern"],
    ["nginx.org/basic-auth-secret", "cafe"],
    ["nginx.org/policies", "webapp-policy"],
    ["nginx.com/jwt-key", "cafe"],
    ["appprotect.f5.com/app-protect-enable", "True"],
    ["alb.ingress.kubernetes.io/auth-idp-oidc", "{}"],
    ["alb.ingress.kubernetes.io/security-groups", "sg-1"],
    ["alb.ingress.kubernetes.io/scheme", "internal"],
    ["alb.ingress.kubernetes.io/wafv2-acl-arn", "arn:x"],
    ["konghq.com/plugins", "key-auth"],
    ["plugins.konghq.com", "key-auth"],
    ["zalando.org/skipper-filter", "oauthTokeninfoAnyScope()"],
    ["k8s.apisix.apache.org/auth-type", "keyAuth"],
    ["ingress.pomerium.io/policy", "[]"],
    ["appgw.ingress.kubernetes.io/waf-policy-for-path", "x"],
  ];
  for (const [key, value] of others)
    test(`${key} of another controller keeps somebody out, and is not done`, () =>
      assert.deepEqual(ingressOptions({ [key]: value }), { remarks: [`${key} is not done`], unguarded: [key] }));

  const harmless: readonly (readonly [key: string, value: string])[] = [
    ["haproxy.org/timeout-client", "30s"],
    ["haproxy.org/cors-allow-origin", "*"],
    ["haproxy-ingress.github.io/waf", "off"],
    ["haproxy-ingress.github.io/config-backend", "option httplog"],
    ["traefik.ingress.kubernetes.io/router.entrypoints", "web, websecure"],
    ["alb.ingress.kubernetes.io/auth-type", "none"],
    ["alb.ingress.kubernetes.io/scheme", "internet-facing"],
    ["alb.ingress.kubernetes.io/ssl-policy", "ELBSecurityPolicy-TLS13-1-2-2021-06"],
    ["konghq.com/upstream-policy", "sticky"],
    ["kubernetes.io/ingress.allow-http", "false"],
  ];
  for (const [key, value] of harmless)
    test(`${key}: ${value} keeps nobody out, and is said with the route`, () =>
      assert.deepEqual(ingressOptions({ [key]: value }), { remarks: [`${key} is not done`] }));

  for (const key of [
    ...["haproxy.org/allow-list", "haproxy.org/whitelist", "haproxy-ingress.github.io/allowlist-source-range"],
    ...["ingress.kubernetes.io/whitelist-source-range", "traefik.ingress.kubernetes.io/whitelist-source-range"],
    ...["alb.ingress.kubernetes.io/inbound-cidrs", "virtual-server.f5.com/allow-source-range"],
  ])
    test(`${key} lists who may ask, as that of ingress-nginx does`, () =>
      assert.deepEqual(ingressOptions({ [key]: "10.9.9.9" }), { options: { allowFrom: ["10.9.9.9"] } }));

  test("a list that is written for two controllers is one; of two that say otherwise the route is not served", () => {
    const both = (other: string) =>
      ingressOptions({
        "haproxy.org/allow-list": other,
        "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8,192.0.2.1",
      });
    const options = { allowFrom: ["10.0.0.0/8", "192.0.2.1"] };
    assert.deepEqual(both("192.0.2.1, 10.0.0.0/8"), { options });
    const unguarded = ["haproxy.org/allow-list"];
    assert.deepEqual(both("10.0.0.0/8"), { options, unguarded, remarks: ["haproxy.org/allow-list is not done"] });
    const denied = {
      "haproxy.org/deny-list": "10.1.0.0/16",
      "haproxy-ingress.github.io/denylist-source-range": "10.2.0.0/16",
    };
    assert.deepEqual(ingressOptions(denied).options, { denyFrom: ["10.2.0.0/16", "10.1.0.0/16"] });
  });

  test("annotations of those who serve nothing are passed over", () =>
    assert.deepEqual(
      ingressOptions({
        "kubernetes.io/ingress.class": "styrmann",
        "cert-manager.io/cluster-issuer": "letsencrypt",
        "external-dns.alpha.kubernetes.io/target": "192.0.2.1",
        "example.org/auth": "x",
      }),
      {},
    ));
});
