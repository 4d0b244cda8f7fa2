import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DEFAULT_CLUSTER_SETTINGS } from "./cluster-settings.ts";
import {
  formatSetting,
  parseSetting,
  SETTING_NAMES,
  settingNamed,
  settingsProblem,
  settingsRepair,
} from "./setting-names.ts";

function parse(name: string, text: string) {
  const setting = settingNamed(name);
  assert.ok(setting);
  return parseSetting(setting, text);
}

describe("settings of the cluster:", () => {
  test("each has a name", () => {
    const named = SETTING_NAMES.map(({ field }) => field).toSorted();
    assert.deepEqual(named, Object.keys(DEFAULT_CLUSTER_SETTINGS).toSorted());
  });

  test("the defaults keep the rules", () => assert.equal(settingsProblem(DEFAULT_CLUSTER_SETTINGS), undefined));

  test("values are read in the unit of their name", () => {
    assert.deepEqual(parse("unreachable-after", "10s"), { value: 10_000 });
    assert.deepEqual(parse("brake-share", "60%"), { value: 0.6 });
    assert.deepEqual(parse("moves-per-second", "2.5"), { value: 2.5 });
    assert.deepEqual(parse("kubernetes-default-tolerations", "true"), { value: true });
    assert.deepEqual(parse("acme-directory", "https://a.example/dir"), { value: "https://a.example/dir" });
    assert.deepEqual(parse("acme-email", ""), { value: "" });
    assert.match(String(parse("acme-directory", "a.example")), /expected a URL/);
    assert.match(String(parse("acme-email", "nobody")), /expected an address/);
    assert.match(String(parse("brake-at-least", "2.5")), /brake-at-least=2\.5: expected a whole number/);
    assert.match(String(parse("heartbeat", "soon")), /heartbeat=soon: expected a duration such as 10s/);
  });

  test("what is shown can be given again", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_NAMES), fc.integer({ min: 1, max: 10 ** 12 }), (setting, number) => {
        const values = { switch: number % 2 === 0, url: `https://a${number}.example`, email: `a@b${number}.example` };
        const value = setting.unit in values ? values[setting.unit as keyof typeof values] : number;
        assert.deepEqual(parseSetting(setting, formatSetting(setting, value)), { value });
      }),
    );
  });

  const wrong: readonly (readonly [why: string, change: object, words: RegExp])[] = [
    [
      "times that do not rise",
      { unreachableAfterMs: 2000 },
      /unreachable-after must be more than suspect-after; .*\(2s\)/,
    ],
    [
      "a lease shorter than the silence",
      { exclusiveAfterMs: 8000 },
      /exclusive-after must be more than unreachable-after/,
    ],
    ["one late heartbeat makes a suspect", { heartbeatMs: 2000 }, /at least two heartbeats/],
    ["a lease of few heartbeats", { exclusiveAfterMs: 9000 }, /at least ten heartbeats/],
    ["a grace that is none", { startGraceMs: 5000 }, /start-grace must not be less than unreachable-after/],
    ["more than all", { brakeShare: 1.5 }, /a share is at most 1/],
    ["nothing at all", { movesPerSecond: 0 }, /moves-per-second=0: it must be more than 0/],
    ["half a node", { brakeAtLeast: 1.5 }, /brake-at-least=1\.5/],
    ["another type", { heartbeatMs: "1s" }, /heartbeat: expected a duration/],
  ];
  for (const [why, change, words] of wrong) {
    test(`${why}: refused in a sentence`, () =>
      assert.match(settingsProblem({ ...DEFAULT_CLUSTER_SETTINGS, ...change }) ?? "", words));
  }

  test("all that is wrong is said at once, with what else has to be chosen", () => {
    const wish = { ...DEFAULT_CLUSTER_SETTINGS, unreachableAfterMs: 90_000 };
    const words = settingsProblem(wish) ?? "";
    assert.match(words, /exclusive-after must be more than unreachable-after; this would be /);
    assert.match(words, /start-grace must not be less than unreachable-after; brake-window must not be/);
    assert.deepEqual(settingsRepair(wish, ["unreachableAfterMs"]), [
      "exclusive-after=3m",
      "start-grace=90s",
      "brake-window=90s",
    ]);
  });

  test("smaller times make room below", () => {
    const wish = { ...DEFAULT_CLUSTER_SETTINGS, unreachableAfterMs: 2000 };
    assert.deepEqual(settingsRepair(wish, ["unreachableAfterMs"]), ["heartbeat=500ms", "suspect-after=1s"]);
    const grace = { ...DEFAULT_CLUSTER_SETTINGS, startGraceMs: 5000 };
    assert.deepEqual(settingsRepair(grace, ["startGraceMs"]), ["unreachable-after=5s"]);
  });

  test("a wish that contradicts itself has no repair", () => {
    const wish = { ...DEFAULT_CLUSTER_SETTINGS, unreachableAfterMs: 60_000, exclusiveAfterMs: 40_000 };
    assert.equal(settingsRepair(wish, ["unreachableAfterMs", "exclusiveAfterMs"]), undefined);
    assert.equal(settingsRepair({ ...DEFAULT_CLUSTER_SETTINGS, heartbeatMs: 50 }, ["heartbeatMs"]), undefined);
  });

  test("any time from 5 seconds to a day can be had, with what the repair adds", () => {
    const times = SETTING_NAMES.filter(({ unit }) => unit === "duration");
    fc.assert(
      fc.property(fc.constantFrom(...times), fc.integer({ min: 5000, max: 86_400_000 }), ({ field }, value) => {
        const wish = { ...DEFAULT_CLUSTER_SETTINGS, [field]: value };
        const repair = settingsRepair(wish, [field]);
        assert.ok(repair);
        const repaired = { ...wish, ...parsedWords(repair) };
        assert.equal(settingsProblem(repaired), undefined);
        assert.equal(repaired[field], value);
      }),
    );
  });

  test("they go by their fields' names, too", () =>
    assert.equal(settingNamed("exclusiveAfterMs"), settingNamed("exclusive-after")));

  test("each `styr settings set` that the documents tell people to type can be meant", () => {
    let found = 0;
    for (const page of ["comparison", "guide", "commands", "operations", "compatibility"]) {
      const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), "utf8");
      for (const [, words = ""] of text.matchAll(/styr settings set ([a-z][^`]*)`/g)) {
        found++;
        const spec = { ...DEFAULT_CLUSTER_SETTINGS, ...parsedWords(words.split(" ")) };
        assert.equal(settingsProblem(spec), undefined, `${page}: ${words}`);
      }
    }
    assert.ok(found >= 3, String(found));
  });
});

function parsedWords(words: readonly string[]): object {
  return Object.fromEntries(
    words.map((word) => {
      const [name = "", text = ""] = word.split("=");
      const parsed = parse(name, text);
      assert.ok(typeof parsed !== "string", String(parsed));
      return [settingNamed(name)?.field, parsed.value];
    }),
  );
}
