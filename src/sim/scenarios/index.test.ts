import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plantedBugs } from "../plant/planted-bugs.ts";
import { scenarios } from "./index.ts";

/** What draws everything is about no rule of its own. */
const DRAWN = ["swarm"];

describe("scenarios", () => {
  test("each has a name of its own", () => {
    const names = scenarios.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
  });

  test("each fails without the rule that it is about: a planted bug says how", () => {
    const proven = new Set(
      plantedBugs.flatMap(({ scenario, foundBy }) => (scenario && foundBy.length > 0 ? [scenario] : [])),
    );
    const unproven = scenarios.map(({ name }) => name).filter((name) => !DRAWN.includes(name) && !proven.has(name));
    assert.deepEqual(unproven, []);
  });
});
