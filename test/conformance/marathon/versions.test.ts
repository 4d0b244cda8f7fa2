import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

describe("versions of an app", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode();
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "one", mem: 32 });
    await cluster.converge();
    await cluster.call("PUT", "/v2/apps/a", { cmd: "two" });
    await cluster.converge();
  });
  afterEach(() => cluster.close());

  const versions = async (): Promise<string[]> => (await cluster.call("GET", "/v2/apps/a/versions")).body.versions;

  test("are listed newest first, and read back exactly", async () => {
    const [newest = "", oldest = ""] = await versions();
    const { app } = (await cluster.call("GET", "/v2/apps/a")).body;
    assert.equal(newest, app.version);
    const old = await cluster.call("GET", `/v2/apps/a/versions/${oldest}`);
    assert.deepEqual([old.body.cmd, old.body.version], ["one", oldest]);
    assert.equal(old.body.tasksRunning, undefined, "a version is an app, not its state");
  });

  test("that are not there are 404 with their name", async () => {
    const { status, body } = await cluster.call("GET", "/v2/apps/a/versions/2001-01-01T00:00:00.000Z");
    assert.equal(status, 404);
    assert.deepEqual(body, { message: "App '/a' does not exist in version 2001-01-01T00:00:00.000Z" });
  });

  test("can be gone back to, which makes a new one", async () => {
    const oldest = (await versions()).at(-1);
    const back = await cluster.call("PUT", "/v2/apps/a", { version: oldest });
    assert.equal(back.status, 200, back.text);
    await cluster.converge();
    assert.equal((await cluster.call("GET", "/v2/apps/a")).body.app.cmd, "one");
    assert.equal((await versions()).length, 3);
    assert.equal((await cluster.call("PUT", "/v2/apps/a", { id: "/a", version: "nope" })).status, 404);
  });

  test("are asked for alone", async () => {
    const [newest] = await versions();
    const { status, body } = await cluster.call("PUT", "/v2/apps/a", { version: newest, mem: 3 });
    assert.equal(status, 422);
    assert.deepEqual(body.details, [
      { path: "/", errors: ["The 'version' field may only be combined with the 'id' field."] },
    ]);
  });

  test("are kept to the last fifty", async () => {
    for (let mem = 100; mem < 160; mem++) await cluster.call("PUT", "/v2/apps/a?force=true", { mem });
    const all = await versions();
    assert.equal(all.length, 50);
    assert.equal(new Set(all).size, 50, "each has a time of its own");
    assert.equal((await cluster.call("GET", `/v2/apps/a/versions/${all[0]}`)).body.mem, 159);
  });
});
