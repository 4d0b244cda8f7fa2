import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { delayAfterEnd, remainingDelayMs } from "./backoff.ts";
import { definitionOf } from "./test-app.ts";

const APP = definitionOf({ cmd: "ls", backoffSeconds: 2, backoffFactor: 3, maxLaunchDelaySeconds: 10 });

describe("launch delays", () => {
  test("begin with backoffSeconds, grow by the factor, and stop at maxLaunchDelaySeconds", () => {
    const first = delayAfterEnd(APP, undefined, 0);
    const second = delayAfterEnd(APP, first, 2000);
    const third = delayAfterEnd(APP, second, 8000);
    assert.deepEqual(
      [first, second, third].map(({ delaySeconds }) => delaySeconds),
      [2, 6, 10],
    );
    assert.equal(remainingDelayMs(APP, third, 9000), 9000);
  });

  test("begin again after maxLaunchDelaySeconds without a failure", () => {
    const first = delayAfterEnd(APP, undefined, 0);
    assert.equal(delayAfterEnd(APP, first, 13_000).delaySeconds, 2);
  });

  test("belong to one configuration", () => {
    const first = delayAfterEnd(APP, undefined, 0);
    const next = definitionOf({ cmd: "ls" }, "2021-01-01T00:00:00.000Z");
    assert.equal(remainingDelayMs(next, first, 1), 0);
    assert.equal(delayAfterEnd(next, first, 1).delaySeconds, 1);
  });
});
