import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Catalogue } from "./definition.ts";
import { expose } from "./exposition.ts";
import { Meters } from "./meters.ts";

const CATALOGUE = [
  { name: "things_total", type: "counter", help: "Things." },
  { name: "doors_total", type: "counter", help: "Doors.", labels: ["colour"], always: ["red"] },
  { name: "rooms", type: "gauge", help: "Rooms.", labels: ["house", "floor"] },
  { name: "wait_seconds", type: "histogram", help: "Waits.", labels: ["who"], buckets: [0.1, 1] },
] as const satisfies Catalogue;

async function lines(meters: Meters<typeof CATALOGUE>): Promise<readonly string[]> {
  return (await expose([meters])).text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("meters:", () => {
  test("what nothing was counted of is 0 where an alert needs it, and absent where labels are not known", async () => {
    assert.deepEqual(await lines(new Meters(CATALOGUE)), ["things_total 0", 'doors_total{colour="red"} 0']);
  });

  test("counters add up by their labels", async () => {
    const meters = new Meters(CATALOGUE);
    meters.count("doors_total", "green");
    meters.counter("doors_total", "green").value += 2;
    assert.ok((await lines(meters)).includes('doors_total{colour="green"} 3'));
  });

  test("a histogram's buckets are cumulative, and its last one holds all", async () => {
    const meters = new Meters(CATALOGUE);
    for (const seconds of [0.1, 0.5, 7]) meters.observe("wait_seconds", seconds, "ann");
    const found = (await lines(meters)).filter((line) => line.startsWith("wait"));
    assert.deepEqual(found, [
      'wait_seconds_bucket{who="ann",le="0.1"} 1',
      'wait_seconds_bucket{who="ann",le="1"} 2',
      'wait_seconds_bucket{who="ann",le="+Inf"} 3',
      'wait_seconds_sum{who="ann"} 7.6',
      'wait_seconds_count{who="ann"} 3',
    ]);
  });

  test("what is provided is asked at each scrape, and the last who provides is", async () => {
    const meters = new Meters(CATALOGUE);
    let floors = 1;
    meters.provide("rooms", () => undefined);
    meters.provide("rooms", () => [{ labels: ["a", "0"], value: floors }]);
    assert.ok((await lines(meters)).includes('rooms{house="a",floor="0"} 1'));
    floors = 5;
    assert.ok((await lines(meters)).includes('rooms{house="a",floor="0"} 5'));
  });

  test("label values without end do not fill the memory: what is beyond is counted as other", async () => {
    const meters = new Meters(CATALOGUE);
    for (let n = 0; n < 3_000; n++) meters.count("doors_total", `c${n}`);
    const found = (await lines(meters)).filter((line) => line.startsWith("doors"));
    assert.ok(found.length <= 2_003, `${found.length} lines`);
    assert.ok(found.includes('doors_total{colour="other"} 1000'));
  });

  test("any label value stays within its line", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (colour) => {
        const meters = new Meters(CATALOGUE);
        meters.count("doors_total", colour);
        const { text } = await expose([meters]);
        const series = text.split("\n").filter((line) => line.startsWith("doors_total{"));
        assert.equal(series.length, colour === "red" ? 1 : 2);
      }),
    );
  });
});
