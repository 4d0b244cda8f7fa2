import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ApiError } from "../../model/errors.ts";
import { matchesFilters, parseFilters, parseLabelSelector } from "./app-filters.ts";
import { definitionOf } from "./test-app.ts";

const APP = definitionOf({ cmd: "Sleep 100", labels: { tier: "web", "a,b": "x y" } });

describe("filters of GET /v2/apps", () => {
  for (const [query, wanted] of [
    ["cmd=SLEEP", true],
    ["cmd=nope", false],
    ["id=CART", true],
    ["id=cars", false],
    ["label=tier", true],
    ["label=none", false],
    ["label=tier%3D%3Dweb", true],
    ["label=tier!%3Dweb", false],
    ["label=tier in (db, web)", true],
    ["label=tier notin (db)", true],
    ["label=tier%3D%3Dweb,none", false],
    ["label=a\\,b%3D%3Dx\\ y", true],
    ["", true],
  ] as const) {
    test(`${query || "none"}: ${wanted}`, () => {
      assert.equal(matchesFilters(APP, parseFilters(new URLSearchParams(query))), wanted);
    });
  }

  test("a selector is read or refused, never a crash", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseLabelSelector(text);
        } catch (error) {
          assert.ok(error instanceof ApiError && error.reason === "Invalid");
        }
      }),
    );
  });
});
