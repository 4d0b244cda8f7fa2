import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { issuedAtToValidFromMs, LEAF_MS } from "./lifetimes.ts";
import { issuedAtFor, refusalOf, refuse } from "./refused.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const SPEC = { clusterId: "c", authorities: [] };
/** As it is written into a certificate: in whole seconds. */
const shown = (name: string, role: string, issuedMs: number) => ({
  ...{ name, roles: [role] },
  validFrom: new Date(Math.floor(issuedAtToValidFromMs(issuedMs) / 1000) * 1000).toISOString(),
});

test("property: after a refusal every certificate from before it is refused, and every one from after it is taken", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), (beforeMs, afterMs) => {
      const spec = refuse(SPEC, "web-1", "node", NOW_MS, "forgotten");
      assert.equal(refusalOf(spec, shown("web-1", "node", NOW_MS - beforeMs)), "forgotten");
      const issuedMs = issuedAtFor(spec, "web-1", "node", NOW_MS + afterMs);
      assert.equal(refusalOf(spec, shown("web-1", "node", issuedMs)), undefined);
      assert.ok(issuedMs - (NOW_MS + afterMs) <= 1000, "nothing is dated into a future that other clocks would mind");
    }),
  );
});

test("another name, or the same one in another role, is not meant", () => {
  const spec = refuse(SPEC, "web-1", "node", NOW_MS, "forgotten");
  assert.equal(refusalOf(spec, shown("web-2", "node", NOW_MS - 5000)), undefined);
  assert.equal(refusalOf(spec, shown("web-1", "server", NOW_MS - 5000)), undefined);
});

test("an entry goes when every certificate that it could mean has ended, and the same name has one", () => {
  const old = refuse(SPEC, "web-1", "node", NOW_MS, "forgotten");
  assert.equal(refuse(old, "web-2", "node", NOW_MS + LEAF_MS - 1, "x").refused?.length, 2);
  assert.equal(refuse(old, "web-2", "node", NOW_MS + LEAF_MS + 1, "x").refused?.length, 1);
  assert.equal(refuse(old, "web-1", "node", NOW_MS + 1, "again").refused?.length, 1);
});
