import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mistakesOf, mutated, PROJECT } from "./plant-bug.ts";
import { plantedBugs } from "./planted-bugs.ts";

describe("planted bugs", () => {
  test("every one still has the place that it changes, exactly once, and changes it", () => {
    for (const bug of plantedBugs) {
      for (const mistake of mistakesOf(bug)) {
        const text = readFileSync(join(PROJECT, mistake.file), "utf8");
        assert.notEqual(mutated({ name: bug.name, ...mistake }, text), text, bug.name);
      }
    }
  });

  test("each has a name and a sentence of its own", () => {
    for (const field of ["name", "sentence"] as const)
      assert.equal(new Set(plantedBugs.map((bug) => bug[field])).size, plantedBugs.length);
  });

  test("a place that is gone, or is there twice, is an error and not a bug less", () => {
    const bug = { name: "b", file: "f", find: "x", replace: "y" };
    assert.throws(() => mutated(bug, "abc"), /0 times/);
    assert.throws(() => mutated(bug, "axbx"), /2 times/);
    assert.equal(mutated(bug, "axb"), "ayb");
  });
});
