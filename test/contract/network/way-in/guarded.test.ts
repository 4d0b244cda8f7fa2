/** Where not everybody may come in, nobody else does: by no spelling of its path, and not when its route cannot be served. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RouteEntry } from "../../../../src/model/network.ts";
import { Touched } from "../../../../src/network/plane/touched.ts";
import { noSpace, unknownKeyword } from "./refusing.ts";
import { type Backing, Stage } from "./stage.ts";

const ELSEWHERE = { allowFrom: ["10.9.9.9/32"] };

describe("the way in: who may not come in:", () => {
  let stage: Stage;
  let web: Backing;
  before(async () => {
    stage = await Stage.open();
    web = await stage.backing("web");
    const guard = (host: string, path: string, more: Partial<RouteEntry> = {}) =>
      stage.route(host, { path, id: `guard ${host}${path}`, options: ELSEWHERE, ...more });
    const unguarded = ["auth-type"];
    await stage.hear([
      ...stage.serve("default/web", [{ at: web.port }]),
      ...["site.example", "in.example", "shut.example", "exact.example"].map((host) => stage.route(host)),
      stage.route("*.wild.example"),
      stage.route("", { path: "/every" }),
      guard("site.example", "/admin"),
      guard("site.example", "/%C3%BCn"),
      guard("*.wild.example", "/admin"),
      guard("", "/every/admin"),
      guard("exact.example", "/admin", { pathType: "exact" }),
      guard("in.example", "/admin", { options: { allowFrom: ["127.0.0.1"], rewritePath: "/put" } }),
      guard("shut.example", "/secret", { options: {}, unguarded }),
      guard("shut.example", "/plain", { options: { auth: { users: ["bob:plain"] } } }),
      guard("shut.example", "/range", { options: { denyFrom: ["10.0.0.0/33"] } }),
      guard("shut.example", "/tcp", { options: { ...ELSEWHERE, backendProtocol: "tcp" } }),
      guard("shut.example", "/adm", { options: {}, unguarded: ["the pattern /adm.*"], matchesLetters: true }),
      stage.route("shut.example", { path: "/secret/open" }),
      guard("whole.example", "/"),
      stage.route("whole.example", { path: "/public" }),
    ]);
  });
  after(() => stage.close());

  /** Nothing of it has reached the program behind. */
  async function isKeptOut(host: string, path: string): Promise<void> {
    const before = web.requests;
    const { status } = await stage.get(host, path);
    assert.ok([400, 403, 404].includes(status), `${status} for ${host}${path}`);
    assert.equal(web.requests, before, path);
  }

  const SPELLINGS = [
    ...["/admin", "/admin/", "/admin/x", "/%61dmin", "/%61%64min/x", "//admin", "///admin//x", "/./admin"],
    ...["/x/../admin", "/x/%2e%2e/admin", "/%2e/admin", "/%2fadmin", "/x%2F..%2Fadmin", "/x%2fy/../admin"],
    ...[
      "/admin;v=1",
      "/;v=1/admin",
      "/x/..;/admin",
      "/\\admin",
      "/x\\..\\admin",
      "/x%5c..%5cadmin",
      "//x/admin",
      "/\\x/admin;v",
    ],
    ...[`/${"/".repeat(2000)}admin`, `/;${"x".repeat(2000)}/admin`, "/admin%00", "/admin%", "/admin?x=1", "/admin%2Fx"],
  ];
  for (const host of ["site.example", "a.wild.example"])
    test(`by no spelling of a path: ${host}`, async () => {
      for (const path of SPELLINGS) await isKeptOut(host, path);
      assert.equal((await stage.get(host, "/administrator")).body, "web GET /administrator");
    });

  test("of an exact path, of letters of other alphabets, and at every host", async () => {
    for (const path of ["/admin", "/%61dmin", "//admin", "/admin;v"]) await isKeptOut("exact.example", path);
    assert.equal((await stage.get("exact.example", "/admin/x")).status, 200);
    for (const path of ["/%C3%BCn", "/%c3%bcn", "/%c3%BC%6e/x"]) await isKeptOut("site.example", path);
    for (const path of ["/every/admin", "/every/%61dmin", "//every//admin"]) await isKeptOut("other.example", path);
    assert.equal((await stage.get("other.example", "/every/x")).status, 200);
  });

  test("nor by a path below that is open, if another reading of it is not", async () => {
    assert.equal((await stage.get("whole.example", "/public/x")).status, 200);
    assert.equal((await stage.get("whole.example", "/%70ublic/x%20y")).status, 200);
    for (const path of ["//public/x", "/public%2Fx", "/public/../x", "/public;v", "/x"])
      await isKeptOut("whole.example", path);
  });

  test("who may come in does so by every spelling", async () => {
    for (const path of ["/admin/x", "/%61dmin/x", "//admin/x"])
      assert.equal((await stage.get("in.example", path)).body, "web GET /put/x", path);
    assert.equal(
      (await stage.get("in.example", "/admin;v=1")).status,
      400,
      "what is put in place of this cannot be said",
    );
  });

  test("a route that cannot be served is closed: its path is not left to the route above it", async () => {
    for (const path of [
      "/secret",
      "/secret/x",
      "/%73ecret",
      "/plain",
      "/range/x",
      "/tcp",
      "/adm",
      "/administrator",
      "/%61dmin/x",
    ])
      await isKeptOut("shut.example", path);
    assert.match((await stage.get("shut.example", "/secret")).body, /closed: its route is not served/);
    assert.equal((await stage.get("shut.example", "/secrets")).status, 200);
    assert.equal((await stage.get("shut.example", "/secret/open")).status, 200);
  });

  test("so is one of which HAProxy refuses what it should do, also after a restart of the agent", async () => {
    await stage.part.stop();
    stage.part = stage.newPart({ commands: unknownKeyword("realm picky", "realm") });
    const options = { auth: { realm: "picky", users: ["bob:xxxxxxxxxxxxxx"] } };
    await stage.hear([stage.route("site.example", { path: "/picky", options })]);
    await isKeptOut("site.example", "/picky");
    await isKeptOut("site.example", "/%70icky/x");
    assert.match(stage.part.report().words ?? "", /is left out: HAProxy says .*unknown keyword/);
    await stage.part.stop();
    stage.part = stage.newPart({ commands: unknownKeyword("realm picky", "realm") });
    await stage.hear([stage.route("late.example")]);
    await isKeptOut("site.example", "/picky");
    await stage.hear([stage.route("site.example", { path: "/picky" })]);
    assert.equal((await stage.get("site.example", "/picky")).status, 200);
  });

  test("while no new configuration can be had, what is in force stays so; but where not everybody may come in any more, nobody does", async () => {
    const fresh = await Stage.open();
    try {
      const [one, two] = [await fresh.backing("one"), await fresh.backing("two")];
      const paths = ["/", "/open", "/guarded"];
      await fresh.hear([
        ...fresh.serve("default/web", [{ at: one.port }]),
        ...paths.map((path) => fresh.route("a.example", { path })),
      ]);
      const refuses = noSpace();
      await fresh.part.stop();
      fresh.part = fresh.newPart({ commands: refuses });
      const all = new Touched();
      all.everything();
      await fresh.part.apply(fresh.state, all);
      const changed = [
        fresh.route("a.example", { path: "/open", options: { timeoutServerMs: 9_000 } }),
        fresh.route("a.example", { path: "/guarded", options: { allowFrom: ["127.0.0.1"] } }),
      ];
      await assert.rejects(fresh.hear(changed), /no space/);
      await assert.rejects(fresh.hear(fresh.serve("default/web", [{ at: two.port }])), /no space/);
      assert.equal((await fresh.get("a.example", "/open")).body, "two GET /open", "its endpoints are told, too");
      assert.equal((await fresh.get("a.example", "/guarded")).status, 404);
      assert.deepEqual(Object.keys(fresh.part.report().lateHosts ?? {}), ["a.example"]);
      await fresh.part.stop();
      fresh.part = fresh.newPart();
      await fresh.part.apply(fresh.state, all);
      assert.equal((await fresh.get("a.example", "/guarded")).body, "two GET /guarded");
      assert.equal(fresh.part.report().lateHosts, undefined);
    } finally {
      await fresh.close();
    }
  });
});
