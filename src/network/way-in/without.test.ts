import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RouteEntry } from "../../model/network.ts";
import { mapsOf } from "./generation.ts";
import { planWayIn } from "./plan.ts";
import { without } from "./without.ts";

function route(path: string, more: Partial<RouteEntry> = {}): RouteEntry {
  return {
    ...{ kind: "route", id: path, host: "a.example", path, pathType: "prefix", port: 80 },
    ...{ service: "shop/web", source: "Ingress shop/web", ...more },
  };
}

const guarded = { options: { allowFrom: ["10.0.0.0/8"] } };
const sticky = { options: { sticky: true } } as const;

/** Where a path leads when none of the backends of the routes that come after are there. */
function meanwhile(before: RouteEntry, after: RouteEntry): string {
  const [old, plan] = [planWayIn([before]), planWayIn([after])];
  const left = without(plan, new Set(plan.backends.keys()), mapsOf(old, new Map()));
  const to = mapsOf(left, new Map()).get("prefix")?.get("a.example/x/");
  if (to === undefined) return "nowhere";
  assert.notEqual(left.backers.get(to), undefined, "it is known whose it is");
  return to === old.prefix.get("a.example/x/") ? "as before" : to;
}

describe("a route whose backend is not there (yet):", () => {
  test("leads to where it led before", () => {
    assert.equal(meanwhile(route("/x"), route("/x", sticky)), "as before");
    assert.equal(meanwhile(route("/x", guarded), route("/x", sticky)), "as before");
    assert.equal(meanwhile(route("/x", guarded), route("/x", { options: { denyFrom: ["10.0.0.1"] } })), "as before");
    assert.equal(meanwhile(route("/y"), route("/x", sticky)), "nowhere");
  });

  test("not to another namespace's", () => {
    assert.equal(meanwhile(route("/x", { service: "bank/web" }), route("/x", sticky)), "nowhere");
  });

  test("is closed if not everybody may come in, and everybody could before", () => {
    assert.equal(meanwhile(route("/x"), route("/x", guarded)), "to-shop.closed");
    assert.equal(meanwhile(route("/y"), route("/x", guarded)), "to-shop.closed");
    assert.equal(meanwhile(route("/x", { unguarded: ["auth-url"] }), route("/x", sticky)), "to-shop.closed");
  });
});
