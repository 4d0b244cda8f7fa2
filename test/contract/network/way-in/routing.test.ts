import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RouteEntry, RouteOptions } from "../../../../src/model/network.ts";
import { Stage } from "./stage.ts";

/** openssl passwd -6 open */
const CRYPTED = "$6$styrsalt$viYH.qi5poS193BbPtObON2GI7QDvcL6kdmtX49Bla2L.NAYCTuz1Eb2kstLH5.B2vtVCWk6qyoHs9n5WnDKu.";

/** Requests come from 127.0.0.1. */
const FROM: Readonly<Record<string, RouteOptions>> = {
  "here.example.org": { allowFrom: [...many(100), "127.0.0.0/8"] },
  "there.example.org": { allowFrom: ["10.0.0.0/8", "2001:db8::/32"] },
  "nothere.example.org": { denyFrom: [...many(100), "127.0.0.1"] },
  "notthere.example.org": { denyFrom: ["10.0.0.0/8"] },
};

function many(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `192.0.2.${at}`);
}

describe("the way in: routing:", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
    const backings = await Promise.all(["web", "shop", "exact", "wild", "any"].map((name) => stage.backing(name)));
    const [web, shop, exact, wild, any] = backings.map(({ port }) => port);
    const services = { web, shop, exact, wild, any };
    const to = (name: keyof typeof services, more: Partial<RouteEntry> = {}) => ({
      service: `default/${name}`,
      ...more,
    });
    await stage.hear([
      ...Object.entries(services).flatMap(([name, at = 0]) => stage.serve(`default/${name}`, [{ at }])),
      stage.route("example.org", to("web")),
      stage.route("example.org", to("shop", { path: "/shop" })),
      stage.route("example.org", to("exact", { path: "/shop/only", pathType: "exact" })),
      stage.route("example.org", to("exact", { path: "/%C3%BCn" })),
      stage.route("*.example.org", to("wild")),
      stage.route("", to("any", { path: "/any" })),
      stage.route("empty.example.org", to("web", { service: "default/none" })),
      ...["/a", "/a/only", "/a/odd:one", `/a/${"l".repeat(1000)}`].map((path) =>
        stage.route("put.example.org", to("web", { path, options: { rewritePath: "/b" } })),
      ),
      stage.route("put.example.org", to("web", { path: "/a/e", pathType: "exact", options: { rewritePath: "/b" } })),
      ...["/", "/a/b"].map((path) =>
        stage.route("*.put.example.org", to("web", { path, options: { rewritePath: "/" } })),
      ),
      ...["off.example.org", "odd.example.org"].map((host, at) =>
        stage.route(host, to("web", { options: { stripPath: ["/api", "/a.(b"][at] ?? "" } })),
      ),
      ...Object.entries(FROM).map(([host, options]) => stage.route(host, to("web", { options }))),
      stage.route("safe.example.org", to("web", { redirectsToHttps: true })),
      stage.route("closed.example.org", to("web", { options: { auth: { users: [`bob:${CRYPTED}`] } } })),
    ]);
  });
  after(() => stage.close());

  const ROWS: readonly (readonly [why: string, host: string, path: string, answer: string])[] = [
    ["a host", "example.org", "/", "web GET /"],
    ["letters of a host's name have no case", "Example.ORG", "/x", "web GET /x"],
    ["the dot at a name's end means nothing", "example.org.", "/x", "web GET /x"],
    ["the longest path wins", "example.org", "/shop/cart?n=1", "shop GET /shop/cart?n=1"],
    ["a path without a slash at its end", "example.org", "/shop", "shop GET /shop"],
    ["paths match by whole parts", "example.org", "/shopping", "web GET /shopping"],
    ["an exact path wins over the beginning of one", "example.org", "/shop/only", "exact GET /shop/only"],
    ["an exact path is no beginning", "example.org", "/shop/only/x", "shop GET /shop/only/x"],
    ["a wildcard takes one name below", "a.example.org", "/", "wild GET /"],
    ["any host", "127.0.0.1", "/any", "any GET /any"],
    ["a path that the host has no route for, and every host has", "example.com", "/any/x", "any GET /any/x"],
    ["a path that another is put in place of", "put.example.org", "/a/c?d=1", "web GET /b/c?d=1"],
    ["a path whose beginning is taken off", "off.example.org", "/api/sub/?d=1", "web GET /sub/?d=1"],
    ["of that beginning alone", "off.example.org", "/api", "web GET /"],
    ["once only", "off.example.org", "/api/api/x", "web GET /api/x"],
    ["by whole parts", "off.example.org", "/apiary", "web GET /apiary"],
    ["letter by letter", "odd.example.org", "/a.(b/c", "web GET /c"],
    ["that path alone", "put.example.org", "/a", "web GET /b"],
    ["what is passed on is what was sent: a blank", "example.org", "/a%20b/", "web GET /a%20b/"],
    ["a slash within a part", "example.org", "/@scope%2Fname/x", "web GET /@scope%2Fname/x"],
    ["letters of other alphabets", "example.org", "/b%C3%BCcher/%e2%82%ac", "web GET /b%C3%BCcher/%e2%82%ac"],
    [
      "slashes of a question",
      "example.org",
      "/go?to=https://x//y/../z&p=%2e%2e",
      "web GET /go?to=https://x//y/../z&p=%2e%2e",
    ],
    ["slashes, parameters", "example.org", "//x//y;v=1/a+b", "web GET //x//y;v=1/a+b"],
    ["names that begin with dots", "example.org", "/.well-known/..x/...", "web GET /.well-known/..x/..."],
    ["a letter that needs no encoding", "example.org", "/%73hop/a", "shop GET /%73hop/a"],
    ["slashes that are together", "example.org", "//shop/a", "shop GET //shop/a"],
    ["a slash that is encoded", "example.org", "/shop%2Fa", "shop GET /shop%2Fa"],
    ["an exact one", "example.org", "/shop/%6fnly", "exact GET /shop/%6fnly"],
    ["small letters of a code", "example.org", "/%c3%bcn/x", "exact GET /%c3%bcn/x"],
    ["large ones", "example.org", "/%C3%BCn", "exact GET /%C3%BCn"],
    [
      "the longest path that there may be",
      "example.org",
      `/shop/${"x%20".repeat(1500)}`,
      `shop GET /shop/${"x%20".repeat(1500)}`,
    ],
    ["the longest of several that another is put in place of", "put.example.org", "/a/only/x/", "web GET /b/x/"],
    ["by whole parts there, too", "put.example.org", "/a/onlyx", "web GET /b/onlyx"],
    ["of that alone", "put.example.org", "/a/only", "web GET /b"],
    ["in another spelling", "put.example.org", "/a//%6fnly/%3a?x", "web GET /b/%3A?x"],
    ["one with odd letters", "put.example.org", "/a/odd%3Aone/x", "web GET /b/x"],
    ["a long one", "put.example.org", `/a/${"l".repeat(1000)}/x`, "web GET /b/x"],
    ["an exact one alone", "put.example.org", "/a/e", "web GET /b"],
    ["and not below", "put.example.org", "/a/e/x", "web GET /b/e/x"],
    ["below a wildcard", "x.put.example.org", "/a/b", "web GET /"],
    ["of everything there", "x.put.example.org", "/a/bc%2F", "web GET /a/bc%2F"],
    ["other spellings of it", "x.put.example.org", "//a/%62/c", "web GET /c"],
    ["another spelling of what is put in place of", "put.example.org", "/%61/c%20d?e", "web GET /b/c%20d?e"],
    ["of that alone", "put.example.org", "//a", "web GET /b"],
    ["another spelling of what is taken off", "off.example.org", "//%61pi/c%20d", "web GET /c%20d"],
  ];
  for (const [why, host, path, answer] of ROWS)
    test(`${why}: ${host}${path}`, async () => assert.equal((await stage.get(host, path)).body, answer));

  test("a wildcard does not take two names below, nor a host that nobody has: 404 in words", async () => {
    for (const host of ["a.b.example.org", "example.net"]) {
      const { status, body } = await stage.get(host);
      assert.equal(status, 404);
      assert.match(body, /nothing is reached/);
    }
  });

  test("a service without endpoints is 503 at once", async () => {
    const began = performance.now();
    const { status, body } = await stage.get("empty.example.org");
    assert.equal(status, 503);
    assert.match(body, /no copy/);
    assert.ok(performance.now() - began < 1000);
  });

  test("plain HTTP is sent to HTTPS, with its path and question", async () => {
    const { status, headers } = await stage.get("safe.example.org", "/a?b=c");
    assert.equal(status, 308);
    assert.equal(headers.location, `https://safe.example.org:${stage.https}/a?b=c`);
  });

  test("only from where it may be asked, and what would keep others out and is not done is not served", async () => {
    const asked = Object.keys(FROM).map(async (host) => (await stage.get(host)).status);
    assert.deepEqual(await Promise.all(asked), [200, 403, 403, 200]);
    await stage.hear([stage.route("open.example.com", { service: "default/web", unguarded: ["auth-type"] })]);
    assert.equal((await stage.get("open.example.com")).status, 404);
  });

  test("a path that no two programs read in the same way is refused", async () => {
    for (const path of [
      "/shop/../x",
      "/./shop",
      "/x/%2e%2E",
      "/x%2F..%2fshop",
      "/x\\..\\shop",
      "/..;v/shop",
      "/x%00",
      "/x%zz",
    ])
      assert.equal((await stage.get("example.org", path)).status, 400, path);
  });

  test("only users come in, where there are any", async () => {
    assert.equal((await stage.get("closed.example.org")).status, 401);
    const headers = { Authorization: `Basic ${Buffer.from("bob:open").toString("base64")}` };
    assert.equal((await stage.get("closed.example.org", "/", { headers })).status, 200);
  });

  test("what a client says of where it comes from is not believed", async () => {
    let seen: Record<string, unknown> = {};
    const backing = await stage.backing("headers", (request, response) => {
      seen = request.headers;
      response.end();
    });
    await stage.hear([
      ...stage.serve("default/headers", [{ at: backing.port }]),
      stage.route("h.example.com", { service: "default/headers" }),
    ]);
    await stage.get("h.example.com", "/", {
      headers: {
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Proto": "https",
        Proxy: "x",
        X_Forwarded_For: "1",
        "X-Real_IP": "1",
      },
    });
    const alike = Object.keys(seen).filter((name) => name.includes("_"));
    assert.deepEqual(alike, [], "to a CGI program they are the same");
    assert.equal(seen["x-forwarded-for"], "127.0.0.1");
    assert.equal(seen["x-forwarded-proto"], "http");
    assert.equal(seen["x-forwarded-host"], "h.example.com");
    assert.equal(seen.proxy, undefined);
  });
});
