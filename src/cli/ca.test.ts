import assert from "node:assert/strict";
import { test } from "node:test";
import { rotationLines } from "./ca.ts";

test("of a change of the CA it is said whom --finish would lock out: nodes that are silent, and no others", () => {
  const until = "2026-02-01T00:00:00Z";
  const lines = rotationLines({
    ...{ step: "believe", startedAt: "2026-01-02T00:00:00Z", by: "anna", givenUp: ["h9"] },
    waitsFor: [
      { host: "h1", role: "node", until, heard: true },
      { host: "h4", role: "node", until, heard: false },
      { host: "h5", role: "server", until, heard: false },
    ],
  });
  assert.match(lines[1] ?? "", /node h1, which is heard: it takes seconds/);
  assert.match(lines[2] ?? "", /node h4, which is silent, until 2026-02-01T00:00:00Z at most/);
  assert.match(lines[4] ?? "", /does not wait for h9$/);
  assert.match(lines[5] ?? "", /--finish does not wait for h4: they have to join again/);
});
