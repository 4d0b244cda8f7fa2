import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

const SHOP = {
  id: "/shop",
  groups: [
    { id: "db", apps: [{ id: "main", cmd: "db", instances: 1 }] },
    { id: "/shop/front", dependencies: ["/shop/db"], apps: [{ id: "/shop/front/web", cmd: "web", instances: 2 }] },
  ],
};

describe("groups", () => {
  test("an app or group whose id leads above the root is refused at its place", async () => {
    const outside = { id: "/shop", apps: [{ id: "../../x", cmd: "ls" }] };
    const { status, body } = await cluster.call("POST", "/v2/groups", outside);
    assert.deepEqual([status, body.details?.[0].path], [422, "/apps(0)/id"]);
    const above = await cluster.call("POST", "/v2/groups", { id: "../shop" });
    assert.deepEqual([above.status, above.body.details?.[0].path], [422, "/id"]);
  });

  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode();
  });
  afterEach(() => cluster.close());

  test("an empty cluster has an empty root", async () => {
    const { status, body } = await cluster.call("GET", "/v2/groups");
    assert.equal(status, 200);
    assert.deepEqual([body.id, body.apps, body.groups, body.pods, body.dependencies], ["/", [], [], [], []]);
  });

  test("are created with their apps, what others depend on first", async () => {
    const created = await cluster.call("POST", "/v2/groups", SHOP);
    assert.equal(created.status, 201, created.text);
    assert.equal(created.headers.get("Location"), "/shop");
    await cluster.settle();
    assert.deepEqual(
      new Set(cluster.live().map((pod) => pod.metadata.annotations?.["styrmann.dev/workload"])),
      new Set(["/shop/db/main"]),
    );
    await cluster.converge();
    assert.equal(cluster.live().length, 3);
    const { body } = await cluster.call("GET", "/v2/groups/shop");
    assert.deepEqual(
      body.groups.map((group: { id: string }) => group.id),
      ["/shop/db", "/shop/front"],
    );
    assert.deepEqual(body.groups[1].dependencies, ["/shop/db"]);
    assert.equal(body.groups[1].apps[0].id, "/shop/front/web");
    assert.equal((await cluster.call("GET", "/v2/apps")).body.apps.length, 2);
  });

  test("that are there already are 409", async () => {
    await cluster.call("POST", "/v2/groups", SHOP);
    const again = await cluster.call("POST", "/v2/groups", SHOP);
    assert.deepEqual(
      [again.status, again.body.message],
      [409, "Group /shop is already created. Use PUT to change this group."],
    );
    await cluster.call("POST", "/v2/apps", { id: "/solo", cmd: "ls" });
    const app = await cluster.call("POST", "/v2/groups", { id: "/solo" });
    assert.deepEqual([app.status, app.body.message], [409, "An app with the path /solo already exists."]);
  });

  test("PUT replaces the lists that it contains", async () => {
    await cluster.call("POST", "/v2/groups", SHOP);
    await cluster.converge();
    const changed = await cluster.call("PUT", "/v2/groups/shop/db", { apps: [{ id: "other", cmd: "x2" }] });
    assert.equal(changed.status, 200, changed.text);
    await cluster.converge();
    const ids = (await cluster.call("GET", "/v2/apps")).body.apps.map(({ id }: { id: string }) => id);
    assert.deepEqual(ids, ["/shop/db/other", "/shop/front/web"]);
  });

  test("a dry run shows the steps and does nothing", async () => {
    const { body } = await cluster.call("PUT", "/v2/groups/shop?dryRun=true", SHOP);
    assert.ok(body.steps.length >= 2);
    assert.deepEqual((await cluster.call("GET", "/v2/apps")).body, { apps: [] });
  });

  test("scaleBy scales every app below, rounded up", async () => {
    await cluster.call("POST", "/v2/groups", SHOP);
    await cluster.converge();
    await cluster.call("PUT", "/v2/groups/shop", { scaleBy: 1.5 });
    await cluster.converge();
    assert.equal(cluster.live("/shop/front/web").length, 3);
    assert.equal(cluster.live("/shop/db/main").length, 2);
  });

  test("can go back to a version", async () => {
    await cluster.call("POST", "/v2/groups", SHOP);
    await cluster.converge();
    await cluster.call("PUT", "/v2/apps/shop/db/main", { cmd: "newer" });
    await cluster.converge();
    const versions: string[] = (await cluster.call("GET", "/v2/groups/shop/versions")).body;
    const back = await cluster.call("PUT", "/v2/groups/shop", { version: versions.at(-1) });
    assert.equal(back.status, 200, back.text);
    await cluster.converge();
    assert.equal((await cluster.call("GET", "/v2/apps/shop/db/main")).body.app.cmd, "db");
    assert.equal((await cluster.call("PUT", "/v2/groups/shop", { version: "x" })).status, 404);
  });

  test("go with everything in them", async () => {
    await cluster.call("POST", "/v2/groups", SHOP);
    await cluster.converge();
    assert.equal((await cluster.call("DELETE", "/v2/groups/shop")).status, 200);
    await cluster.converge();
    assert.equal(cluster.pods().length, 0);
    const gone = await cluster.call("GET", "/v2/groups/shop");
    assert.deepEqual([gone.status, gone.body], [404, { message: "Group '/shop' does not exist" }]);
  });

  test("an app outside of its group is refused by name", async () => {
    const { status, body } = await cluster.call("POST", "/v2/groups", { id: "/a", apps: [{ id: "/b/c", cmd: "ls" }] });
    assert.equal(status, 422);
    assert.deepEqual(body.details, [{ path: "/apps(0)/id", errors: ["Identifier is not child of '/a'"] }]);
  });
});
