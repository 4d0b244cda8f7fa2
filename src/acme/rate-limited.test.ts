import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RateLimited, restForAllMs } from "./rate-limited.ts";

const MINUTE = 60_000;
const NOW = Date.parse("2026-05-01T12:00:00Z");
const rest = (words: string, retryAfter?: string) =>
  restForAllMs(new RateLimited(words, retryAfter), "x.shop.example.org", NOW);
const ORDERS =
  "too many new orders (300) from this account in the last 3h0m0s, retry after 2026-05-01: see https://letsencrypt.org/docs/rate-limits/";

describe("an authority that takes no more orders", () => {
  test("of the account lets all wait: for as long as it says, from 5 minutes to 3 hours, else 15 minutes", () => {
    assert.equal(rest(ORDERS), 15 * MINUTE);
    assert.equal(rest(ORDERS, "1800"), 30 * MINUTE);
    assert.equal(rest(ORDERS, "Fri, 01 May 2026 13:00:00 GMT"), 60 * MINUTE);
    assert.equal(rest(ORDERS, "1"), 5 * MINUTE);
    assert.equal(rest(ORDERS, "99999999"), 180 * MINUTE);
    assert.equal(rest("Service busy; retry later."), 15 * MINUTE);
  });

  test("of a host or its domain is that host's matter: whoever asks for many of his own lets nobody else wait", () => {
    for (const words of [
      'too many certificates (50) already issued for "example.org" in the last 168h0m0s',
      "too many certificates already issued for this exact set of identifiers: [x.shop.example.org]",
      'too many failed authorizations (5) for "X.shop.Example.org" in the last 1h0m0s',
    ])
      assert.equal(rest(words, "1800"), undefined);
    assert.equal(restForAllMs(new Error("no"), "x.shop.example.org", NOW), undefined);
  });
});
