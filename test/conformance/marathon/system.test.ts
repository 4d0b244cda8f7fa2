import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { mountApis } from "../../../src/http/mount.ts";
import { marathon } from "../../../src/personalities/marathon/index.ts";
import { Cluster } from "./cluster.ts";

describe("Marathon's server", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open();
  });
  after(() => cluster.close());

  test("answers /ping as text, and as JSON to who asks for JSON alone", async () => {
    const plain = await cluster.call("GET", "/ping");
    assert.deepEqual([plain.status, plain.text], [200, "pong"]);
    assert.match(plain.headers.get("Content-Type") ?? "", /^text\/plain/);
    const json = await cluster.call("GET", "/ping", undefined, { headers: { Accept: "application/json" } });
    assert.equal(json.text, '"pong"');
  });

  test("tells its version and leader", async () => {
    const { body } = await cluster.call("GET", "/v2/info");
    const known = [
      "buildref",
      "elected",
      "frameworkId",
      "http_config",
      "leader",
      "marathon_config",
      "name",
      "version",
      "zookeeper_config",
    ];
    assert.deepEqual(Object.keys(body).sort(), known);
    assert.deepEqual([body.name, body.elected], ["marathon", true]);
    assert.equal(body.marathon_config.ha, false, "there is no other");
    assert.deepEqual((await cluster.call("GET", "/v2/leader")).body, { leader: "127.0.0.1:7443" });
  });

  test("answers an unknown path with 500, as Marathon does, and a wrong method with 405", async () => {
    const unknown = await cluster.call("GET", "/v2/nope");
    assert.deepEqual([unknown.status, unknown.body], [500, { message: "URI not found" }]);
    assert.equal((await cluster.call("PATCH", "/v2/queue")).status, 405);
  });

  test("refuses what it does not serve in words", async () => {
    for (const [method, path, what] of [
      ["POST", "/v2/pods", /pods/],
      ["PUT", "/v2/pods/x", /pods/],
      ["DELETE", "/v2/leader", /leadership/],
      ["POST", "/v2/eventSubscriptions", /callbacks/],
    ] as const) {
      const { status, body } = await cluster.call(method, path, method === "DELETE" ? undefined : {}, {
        roles: ["admin"],
      });
      assert.equal(status, 422, path);
      assert.match(body.message, what);
    }
    assert.deepEqual((await cluster.call("GET", "/v2/eventSubscriptions")).body, { callbackUrls: [] });
    assert.deepEqual((await cluster.call("GET", "/v2/pods")).body, []);
    assert.deepEqual((await cluster.call("GET", "/v2/pods/::status")).body, []);
    const none = await cluster.call("GET", "/v2/pods/x::status");
    assert.deepEqual([none.status, none.body], [404, { message: "Pod '/x' does not exist" }]);
  });

  test("lets viewers read and not write, and strangers do nothing", async () => {
    assert.equal((await cluster.call("GET", "/v2/apps", undefined, { roles: ["viewer"] })).status, 200);
    const refused = await cluster.call("POST", "/v2/apps", { id: "a", cmd: "ls" }, { roles: ["viewer"] });
    assert.equal(refused.status, 403);
    assert.equal(typeof refused.body.message, "string");
    assert.equal((await cluster.call("GET", "/v2/apps")).body.apps.length, 0);
  });

  test("has no route without a right of its own, and no route that reads may write", () => {
    const api = marathon.api({ ...({} as Parameters<typeof marathon.api>[0]), address: "a:1", version: "1" });
    for (const { route } of mountApis([api]).routes) {
      const { method } = route as { method: string };
      assert.equal(route.access.verb === "read", method === "GET" || method === "HEAD", `${method} ${route.path}`);
    }
  });

  test("a bad boolean is a bad request that names the parameter", async () => {
    const { status, body } = await cluster.call("DELETE", "/v2/apps/x?force=perhaps");
    assert.equal(status, 400);
    assert.match(body.message, /'force'/);
  });
});
