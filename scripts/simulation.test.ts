import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { SIMULATION_FILE, simulationPage } from "./simulation.ts";

describe("docs/simulation.md", () => {
  test("lists the invariants, scenarios, planted bugs and regressions that there are", () => {
    const page = readFileSync(SIMULATION_FILE, "utf8");
    assert.equal(page, simulationPage(page), "it is out of date: node scripts/simulation.ts --write");
  });

  test("a list without a place is an error, not a list less", () => {
    assert.throws(() => simulationPage("# A page without lists\n"), /no place for its invariants/);
  });
});
