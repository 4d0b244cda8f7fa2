import assert from "node:assert/strict";
import { test } from "node:test";
import { Strangers } from "./strangers.ts";

test("who comes again and again and never stays is a stranger, for five minutes; one connection that lasts clears it", () => {
  const strangers = new Strangers();
  const come = (times: number, address = "::ffff:10.0.0.1") => {
    for (let n = 0; n < times; n++) strangers.came(address, 0);
  };
  come(3);
  assert.equal(strangers.has("10.0.0.1", 0), false);
  come(1);
  assert.deepEqual([strangers.has("10.0.0.1", 299_999), strangers.has("10.0.0.1", 300_000)], [true, false]);
  strangers.stayed("::ffff:10.0.0.1");
  assert.equal(strangers.has("10.0.0.1", 0), false);
});

test("no more than a thousand addresses are remembered", () => {
  const strangers = new Strangers();
  for (let n = 0; n < 4; n++) strangers.came("10.0.0.1", 0);
  for (let n = 0; n < 1_000; n++) strangers.came(`host-${n}`, 0);
  assert.equal(strangers.has("10.0.0.1", 0), false);
});
