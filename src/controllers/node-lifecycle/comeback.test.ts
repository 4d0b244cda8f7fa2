import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { comebackOf, isReboot } from "./comeback.ts";

const NOTHING = { heardMs: 5_000, left: undefined, rebooted: false, isHeld: false };
const LEFT = { goodbye: { node: "a", session: "s", why: "reboot" as const }, sinceMs: 2_000 };

describe("a boot id", () => {
  test("is a reboot when it is another than before, and the last one is ten seconds ago", () => {
    assert.equal(isReboot("1", "2", 0, 10_000), true);
    assert.equal(isReboot("1", "2", 0, 9_999), false);
    assert.equal(isReboot("1", "1", 0, 10_000), false);
    assert.equal(isReboot(undefined, "2", 0, 10_000), false);
  });
});

describe("a comeback", () => {
  test("is none of a node that was neither lost nor away, nor held, nor rebooted", () => {
    assert.equal(comebackOf(NOTHING, undefined, 9_000), undefined);
  });

  test("counts the silence from the last heartbeat, or from the loss when that was earlier", () => {
    assert.equal(comebackOf({ ...NOTHING, isHeld: true }, undefined, 9_000)?.silentMs, 4_000);
    assert.equal(comebackOf(NOTHING, { sinceMs: 6_000 }, 9_000)?.silentMs, 4_000);
    assert.equal(comebackOf(NOTHING, { sinceMs: 1_000 }, 9_000)?.silentMs, 8_000);
  });

  test("of a node that said goodbye is announced, and counts from then", () => {
    const expected = { silentMs: 7_000, rebooted: true, announced: true };
    assert.deepEqual(comebackOf({ ...NOTHING, left: LEFT, rebooted: true }, { sinceMs: 1_000 }, 9_000), expected);
  });
});
