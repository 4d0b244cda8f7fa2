import assert from "node:assert/strict";
import { test } from "node:test";
import { stopApi } from "./stop-route.ts";
import { TakenDown } from "./styr-process.ts";

test("asked to stop for styr down, a styr is told that what it runs goes; otherwise that it goes on running", async () => {
  const whys: (TakenDown | undefined)[] = [];
  const [route] = stopApi((why) => whys.push(why)).routes;
  for (const query of ["", "?for=down"]) {
    const answer = await route?.handle(new Request(`http://styr/styr/v1/stop${query}`), {} as never);
    assert.deepEqual(await answer?.json(), { pid: process.pid });
  }
  assert.equal(whys.length, 2);
  assert.equal(whys[0], undefined);
  assert.ok(whys[1] instanceof TakenDown);
});
