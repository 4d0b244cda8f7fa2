import assert from "node:assert/strict";
import { test } from "node:test";
import { SystemClock } from "../seams/clock.ts";
import { jsonList } from "./json-list.ts";

const clock = new SystemClock();

test("a list is one JSON object, whether it is empty, short or so long that it goes in pieces", async () => {
  for (const length of [0, 1, 3, 20_000]) {
    const rows = Array.from({ length }, (_, at) => ({ name: `ÄÖ-${at}`, words: "some more of them" }));
    const response = await jsonList("rows", rows, clock);
    assert.equal(response.headers.get("Content-Type"), "application/json");
    assert.deepEqual(await response.json(), { rows });
  }
});

test("others have their turns while a long list is written", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const rows = Array.from({ length: 200_000 }, (_, at) => ({ name: `pod-${at}`, words: ["some", "more", "of them"] }));
  await jsonList("rows", rows, clock);
  clearInterval(timer);
  assert.ok(turns >= 2, `${turns} turns`);
});
