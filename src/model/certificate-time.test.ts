import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOfClock, notTakenWords, refusedByTime, serverOutOfTime } from "./certificate-time.ts";

const NOW_MS = Date.parse("2026-01-10T12:00:00Z");
const HOUR_MS = 3_600_000;
const CERTIFICATE = { validFrom: "Jan 10 11:00:00 2026 GMT", validTo: "Feb  9 12:00:00 2026 GMT" };
const wordsAt = (thereMs: number, hereMs: number) =>
  notTakenWords(CERTIFICATE, new Date(thereMs).toUTCString(), hereMs);

describe("a certificate that is not taken", () => {
  test("for the time: the difference is said, and the same at each attempt, so that it is logged once", () => {
    const words = wordsAt(NOW_MS - 2 * HOUR_MS, NOW_MS);
    assert.match(words, /^its clock is 120m behind this host's: .* is not valid before 2026-01-10 11:00:00 UTC\. Set /);
    for (let ms = 0; ms < 10_000; ms += 170) assert.equal(wordsAt(NOW_MS - 2 * HOUR_MS + ms, NOW_MS + ms), words);
    assert.match(wordsAt(NOW_MS + 960 * HOUR_MS, NOW_MS), /^its clock is 40d ahead of this host's: .* ended at /);
  });

  test("for the time, where both clocks are right: only joining again mends it", () => {
    const late = NOW_MS + 960 * HOUR_MS;
    assert.match(wordsAt(late, late), /ended at .*: this host was away too long; join again/);
    const early = NOW_MS - 30 * HOUR_MS;
    assert.match(wordsAt(early, early), /made by a server's clock that was ahead; join again/);
  });

  test("for something else, or by a server that does not say its time, is one that is not known any more", () => {
    for (const date of [new Date(NOW_MS).toUTCString(), undefined, "yesterday"]) {
      const words = notTakenWords(CERTIFICATE, date, NOW_MS);
      assert.match(words, /was forgotten, or was away too long; join again/);
      assert.equal(isOfClock(words), false);
    }
  });
});

test("what a server says of the time of a certificate, and a host of the server's, is known for words about clocks", () => {
  assert.equal(refusedByTime(CERTIFICATE, NOW_MS), undefined);
  const ends = Date.parse(CERTIFICATE.validTo);
  assert.match(
    refusedByTime(CERTIFICATE, ends) ?? "",
    /^by this server's clock \(2026-02-09 12:00:00 UTC\) it ended at/,
  );
  for (const words of [
    refusedByTime(CERTIFICATE, ends),
    wordsAt(ends, NOW_MS),
    serverOutOfTime("CERT_HAS_EXPIRED", "h1"),
  ])
    assert.equal(isOfClock(words ?? ""), true, words);
  assert.equal(serverOutOfTime("toString", "h1"), undefined);
});
