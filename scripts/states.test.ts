import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { PHASE_MOVES, STAGE_MOVES } from "../src/agent/pod-machine.ts";
import { NODE_MOVES } from "../src/controllers/node-lifecycle/node-moves.ts";
import { SERVICE_MOVES } from "../src/drivers/unit/service-state.ts";
import { STATES_FILE, statesPage } from "./states.ts";

describe("docs/states.md", () => {
  test("says what the tables in the code say", () => {
    const page = readFileSync(STATES_FILE, "utf8");
    assert.equal(page, statesPage(), "it is out of date: node scripts/states.ts --write");
  });

  test("has a row for every state of every table", () => {
    const page = statesPage();
    for (const table of [STAGE_MOVES, PHASE_MOVES, NODE_MOVES, SERVICE_MOVES]) {
      assert.ok(Object.keys(table).length > 0, "a table of moves has states");
      for (const state of Object.keys(table))
        assert.match(page, new RegExp(`\\| \`${state}\` \\|`), `${state} is there`);
    }
  });

  test("leads nowhere but to states that have a row of their own", () => {
    for (const table of [STAGE_MOVES, PHASE_MOVES, NODE_MOVES, SERVICE_MOVES]) {
      for (const [from, to] of Object.entries(table)) {
        for (const next of Array.isArray(to) ? to : Object.keys(to))
          assert.ok(next in table, `${from} leads to ${next}`);
      }
    }
  });
});
