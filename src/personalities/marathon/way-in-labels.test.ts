import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { routeProblem } from "../../model/way-in/route-problem.ts";
import { wayInRoutes } from "./way-in-labels.ts";

const SINCE = "2026-01-01T00:00:00Z";

function routes(labels: Record<string, string>, ports = ["http", "admin"]) {
  return wayInRoutes({ id: "/shop/web", labels, ports, since: SINCE });
}

describe("Marathon: labels of the way in:", () => {
  test("a host of the first port", () => {
    assert.deepEqual(routes({ HAPROXY_GROUP: "external", HAPROXY_0_VHOST: "shop.example.org" }), [
      {
        ...{ id: "marathon:/shop/web:0:0", pathType: "prefix", host: "shop.example.org", path: "/" },
        ...{ service: "marathon:/shop/web", port: "http", source: "Marathon app /shop/web", since: SINCE },
      },
    ]);
  });

  const rows: readonly (readonly [why: string, labels: Record<string, string>, expected: readonly string[]])[] = [
    [
      "hosts in a list are a route each",
      { HAPROXY_0_VHOST: "a.example.org, b.example.org" },
      ["a.example.org/ http", "b.example.org/ http"],
    ],
    ["the second port", { HAPROXY_1_VHOST: "a.example.org" }, ["a.example.org/ admin"]],
    ["a port that the app does not have", { HAPROXY_7_VHOST: "a.example.org" }, []],
    ["a path of a host", { HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_PATH: "/shop" }, ["a.example.org/shop http"]],
    ["a path of every host", { HAPROXY_0_PATH: "/shop" }, ["/shop http"]],
    ["an app of the inside alone", { HAPROXY_GROUP: "internal", HAPROXY_0_VHOST: "a.example.org" }, []],
    ["of both", { HAPROXY_GROUP: "internal,external", HAPROXY_0_VHOST: "a.example.org" }, ["a.example.org/ http"]],
    [
      "a port's own group",
      { HAPROXY_GROUP: "external", HAPROXY_0_GROUP: "internal", HAPROXY_0_VHOST: "a.example.org" },
      [],
    ],
    ["switched off", { HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_ENABLED: "false" }, []],
    ["switched off in another spelling", { HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_ENABLED: "False" }, []],
    [
      "switched on in another spelling",
      { HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_ENABLED: "Yes" },
      ["a.example.org/ http"],
    ],
    [
      "several paths, as behind HAProxy's path_beg",
      { HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_PATH: "-i /sub  /two" },
      ["a.example.org/sub http", "a.example.org/two http"],
    ],
    ["no label at all", {}, []],
  ];
  for (const [why, labels, expected] of rows)
    test(why, () =>
      assert.deepEqual(
        routes(labels).map(({ host, path, port }) => `${host}${path} ${port}`),
        expected,
      ),
    );

  test("options", () => {
    const [route] = routes({
      HAPROXY_0_VHOST: "a.example.org",
      HAPROXY_0_STICKY: "true",
      HAPROXY_0_BALANCE: "leastconn",
      HAPROXY_0_REDIRECT_TO_HTTPS: "true",
      HAPROXY_0_USE_HSTS: "true",
      HAPROXY_0_SSL_CERT: "/etc/ssl/a.pem",
      HAPROXY_0_AUTH: "Shop:bob:$6$salt$hash",
      HAPROXY_0_HTTP_BACKEND_PROXYPASS_PATH: "/inner",
    });
    assert.deepEqual(route?.options, {
      ...{ balance: "leastconn", sticky: true, hsts: true, stripPath: "/inner" },
      auth: { realm: "Shop", users: ["bob:$6$salt$hash"] },
    });
    assert.equal(route?.redirectsToHttps, true);
    assert.deepEqual(route?.tls, { file: "/etc/ssl/a.pem" });
    assert.equal(route?.remarks, undefined);
  });

  test("yes and no, and modes, as marathon-lb reads them", () => {
    for (const yes of ["true", "True", "TRUE", "t", "yes", "Y"]) {
      const [route] = routes({
        ...{ HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_STICKY: yes, HAPROXY_0_USE_HSTS: yes },
        ...{ HAPROXY_0_REDIRECT_TO_HTTPS: yes, HAPROXY_0_MODE: "TCP" },
      });
      assert.deepEqual(route?.options, { sticky: true, hsts: true, backendProtocol: "tcp" });
      assert.equal(route?.redirectsToHttps, true);
    }
    const [route] = routes({ HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_REDIRECT_TO_HTTPS: "1" });
    assert.equal(route?.redirectsToHttps, undefined);
  });

  test("each path of several has a route of its own", () => {
    const ids = routes({ HAPROXY_0_VHOST: "a.example.org,b.example.org", HAPROXY_0_PATH: "/one /two" });
    assert.equal(new Set(ids.map(({ id }) => id)).size, 4);
    const [first] = routes({ HAPROXY_0_PATH: "-i /one" });
    assert.match(first?.remarks?.join() ?? "", /-i is not done/);
  });

  test("who may ask; and what would turn others away, and is not done, keeps the route from being served", () => {
    const [route] = routes({
      HAPROXY_0_VHOST: "a.example.org",
      HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL: "167.114.239.226 10.0.0.0/8",
      HAPROXY_0_BACKEND_HTTP_OPTIONS: "  http-response set-header Access-Control-Allow-Origin *",
    });
    assert.deepEqual(route?.options, { allowFrom: ["167.114.239.226", "10.0.0.0/8"] });
    assert.equal(routeProblem({ kind: "route", ...(route as NonNullable<typeof route>) }), undefined);
    assert.match(route?.remarks?.join() ?? "", /NETWORK_ALLOWED_ACL holds for its hosts, not at its service port/);
    const [open] = routes({
      HAPROXY_0_VHOST: "a.example.org",
      HAPROXY_0_BACKEND_HEAD: "  http-request deny if !office",
    });
    const words = routeProblem({ kind: "route", ...(open as NonNullable<typeof open>) });
    assert.match(words ?? "", /^not served: without HAPROXY_0_BACKEND_HEAD, which is not done/);
  });

  test("what is not done is said with the route", () => {
    const [route] = routes({
      HAPROXY_0_VHOST: "a.example.org",
      HAPROXY_0_BACKEND_HTTP_OPTIONS: "  http-request deny",
      HAPROXY_0_BALANCE: "uri",
      HAPROXY_0_BIND_ADDR: "10.0.0.1",
    });
    assert.deepEqual(route?.remarks, [
      "HAPROXY_0_BACKEND_HTTP_OPTIONS is not done",
      "HAPROXY_0_BIND_ADDR is not done",
      "HAPROXY_n_BALANCE=uri is not done: roundrobin is",
    ]);
    const [other] = routes({
      HAPROXY_0_VHOST: "a.example.org",
      HAPROXY_0_MODE: "foo",
      HAPROXY_7_VHOST: "b.example.org",
    });
    assert.deepEqual(other?.remarks, [
      "HAPROXY_n_MODE=foo is not done: http is",
      "HAPROXY_7_VHOST is of a port that the app does not have",
    ]);
    assert.match(routes({ HAPROXY_0_VHOST: "not a host" })[0]?.remarks?.[0] ?? "", /is no host name/);
  });

  test("hosts times paths are bounded: few letters could say a million", () => {
    const many = (count: number, of: (at: number) => string) => Array.from({ length: count }, (_, at) => of(at));
    const hosts = many(1000, (at) => `h${at}.example.org`).join(",");
    const paths = many(1000, (at) => `/p${at}`).join(" ");
    for (const labels of [
      { HAPROXY_0_VHOST: hosts },
      { HAPROXY_0_PATH: paths },
      { HAPROXY_0_VHOST: hosts, HAPROXY_0_PATH: paths },
    ]) {
      const found = routes(labels);
      assert.equal(found.length, 500);
      assert.match(found[0]?.remarks?.join() ?? "", /500 at most: further ones are not done/);
    }
    assert.equal(routes({ HAPROXY_0_VHOST: "a.example.org", HAPROXY_0_PATH: "/a /b" })[0]?.remarks, undefined);
  });
});
