import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hashOf, shortHashOf } from "./names.ts";

describe("names of chains", () => {
  // Found in 14 s on one core, when names had 40 bits.
  test("two Services whose names agree in 40 bits have chains of their own", () => {
    const [one, other] = ["shop/x11ya3:80/tcp", "shop/x1baym:80/tcp"];
    assert.notEqual(hashOf(one), hashOf(other));
    assert.notEqual(shortHashOf(one), shortHashOf(other));
  });

  test("are as long as nft and iptables let them be", () => {
    assert.match(hashOf("a"), /^[0-9a-f]{32}$/);
    assert.match(shortHashOf("a"), /^[0-9A-Za-z]{10}$/);
    assert.ok(`svc-${"n".repeat(11)}-${shortHashOf("a")}-n`.length <= 28);
  });
});
