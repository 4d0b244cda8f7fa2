import assert from "node:assert/strict";
import { test } from "node:test";
import { OneAtATime } from "./one-at-a-time.ts";

test("work begins when the work before has ended, also badly, and each hears of its own end", async () => {
  const lane = new OneAtATime();
  const seen: string[] = [];
  const work = (name: string, fails = false) =>
    lane.run(async () => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const [one, two, three] = [work("one"), work("two", true), work("three")];
  await assert.rejects(two, /two/);
  assert.deepEqual([await one, await three], ["one", "three"]);
  const last = work("four");
  await lane.idle();
  assert.deepEqual(
    seen,
    ["one", "two", "three", "four"].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
  assert.equal(await last, "four");
});
