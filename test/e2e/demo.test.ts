/** The first minute: `styr up --demo` brings up three workloads, one per format, and a URL that answers. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { containers, row } from "./rows.ts";
import { cannot, keptBy, leftovers, makeWorld, until, type World } from "./world.ts";

describe("the demonstration", { skip: cannot ?? false }, () => {
  let world: World;

  before(async () => {
    // Without a registry: it needs none.
    world = await makeWorld();
  });

  after(async () => {
    await world.close();
    assert.deepEqual(leftovers(world), []);
  });

  const shown = async () => {
    await world.up({ flags: ["--demo"] });
    await until(
      "the demonstration runs and its table is shown",
      () => /hello\.service .*1\/1 .*running[\s\S]*\/demo\/web .*2\/2 .*running[\s\S]*next: curl/.test(world.said()),
      () => world.said(),
    );
    const url = /http:\/\/[\w.]+:\d+/.exec(world.said().slice(world.said().indexOf("The demonstration")))?.[0];
    assert.ok(url, world.said());
    return url;
  };

  test("three files run, and the URL that is printed answers", async () => {
    const url = await shown();
    assert.match(await (await fetch(url)).text(), /Styrmann.*Marathon task demo_web/);
    assert.match(await world.must("logs", "hello.service"), /hello from a fleet unit/);
    assert.equal((await row(world, "/demo/web")).ready, 2);
  });

  test("a second time everything is there already, and nothing is started again", async () => {
    await world.stop();
    const before = { containers: await containers(world), processes: keptBy(world) };
    const url = await shown();
    assert.match(await (await fetch(url)).text(), /Styrmann/);
    assert.match(world.said(), /unchanged/);
    assert.deepEqual({ containers: await containers(world), processes: keptBy(world) }, before);
  });

  test("styr down takes the image made for it, too", async () => {
    const { code, stdout, stderr } = await world.styr(["down", "--state", world.state]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /removed \d images? made here/);
    assert.equal(await world.docker("images", "-q", "styrmann/demo"), "");
  });
});
