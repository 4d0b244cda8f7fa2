import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isShort } from "./disk-probe.ts";
import { healthOf, type Signs } from "./health.ts";
import { memoryWords } from "./memory.ts";
import { SharedSigns } from "./shared-signs.ts";

describe("health word", () => {
  const NOW = 100_000;
  const cases: readonly { readonly why: string; readonly signs: Signs; readonly says: RegExp }[] = [
    { why: "nothing is known", signs: {}, says: /^ok/ },
    { why: "all is well", signs: { tickAtMs: NOW, engineAtMs: NOW - 6_000 }, says: /^ok/ },
    { why: "a write waits, but not for long", signs: { diskAskedAtMs: NOW - 4_900 }, says: /^ok/ },
    { why: "a write hangs", signs: { diskAskedAtMs: NOW - 12_000 }, says: /^io-stalled .* waiting for 10 s/ },
    {
      why: "the engine hangs",
      signs: { engineAtMs: NOW - 10_000 },
      says: /^engine-silent the Docker Engine .* for 10 s/,
    },
    {
      why: "the keeper hangs",
      signs: { keeperAtMs: NOW - 10_000 },
      says: /^keeper-silent the process keeper .* for 10 s/,
    },
    { why: "the agent stands still", signs: { tickAtMs: NOW - 65_000 }, says: /^agent-stalled .* for 1 min/ },
    {
      why: "a disk that is full",
      signs: { diskShortAtMs: NOW, memory: "short" },
      says: /^disk-pressure the disk of the state/,
    },
    { why: "memory", signs: { memory: "less than 100 MiB of memory are left" }, says: /^memory-pressure less than/ },
    {
      why: "an agent that stands still hears neither disk nor engine",
      signs: { tickAtMs: NOW - 20_000, diskAskedAtMs: NOW - 20_000, engineAtMs: NOW - 20_000, memory: "short" },
      says: /^agent-stalled/,
    },
    {
      why: "a disk that hangs holds up the engine, too",
      signs: { diskAskedAtMs: NOW - 20_000, engineAtMs: NOW - 20_000 },
      says: /^io-stalled/,
    },
  ];
  for (const { why, signs, says } of cases) {
    test(why, () => {
      const { health, message } = healthOf(signs, NOW);
      assert.match(`${health} ${message ?? ""}`, says);
    });
  }
});

test("a disk is short of room below a tenth and below 1 GiB, and has room again a little above", () => {
  const gib = 2 ** 30;
  assert.equal(isShort({ diskBytes: 100 * gib, diskFreeBytes: 2 * gib }), false);
  assert.equal(isShort({ diskBytes: 100 * gib, diskFreeBytes: gib - 1 }), true);
  assert.equal(isShort({ diskBytes: 100 * gib, diskFreeBytes: gib + 1 }, true), true);
  assert.equal(isShort({ diskBytes: gib, diskFreeBytes: 0.05 * gib }), true);
  assert.equal(isShort({ diskBytes: gib, diskFreeBytes: 0.2 * gib }), false);
});

test("what two threads share of the disk arrives", () => {
  const signs = new SharedSigns();
  signs.write({ diskShortAtMs: 7 }, 100);
  assert.deepEqual(new SharedSigns(signs.buffer).read(100), { diskShortAtMs: 7 });
});

describe("memory pressure", () => {
  const meminfo = (totalKb: number, availableKb: number) =>
    `MemTotal: ${" ".repeat(3)}${totalKb} kB\nMemFree: 1 kB\nMemAvailable:   ${availableKb} kB\n`;

  test("less than 100 MiB, or a twentieth of a small machine", () => {
    assert.equal(memoryWords(meminfo(8_000_000, 200_000), undefined), undefined);
    assert.match(memoryWords(meminfo(8_000_000, 90_000), undefined) ?? "", /less than 100 MiB/);
    assert.equal(memoryWords(meminfo(1_000_000, 90_000), undefined), undefined);
  });

  test("everything waits for memory, as newer kernels tell", () => {
    const psi = "some avg10=60.00 avg60=1 avg300=0 total=1\nfull avg10=35.20 avg60=1 avg300=0 total=1\n";
    assert.match(memoryWords(meminfo(8_000_000, 4_000_000), psi) ?? "", /waits for memory 35%/);
  });

  test("a kernel that tells nothing is taken as well", () => {
    assert.equal(memoryWords("", undefined), undefined);
  });
});
