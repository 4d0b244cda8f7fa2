import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DEFAULT_CLUSTER_SETTINGS } from "./cluster-settings.ts";
import { formatSetting, parseSetting, SETTING_NAMES, settingNamed, settingsProblem } from "./setting-names.ts";

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
    assert.match(String(parse("brake-at-least", "2.5")), /brake-at-least=2\.5: expected a whole number/);
    assert.match(String(parse("heartbeat", "soon")), /heartbeat=soon: expected a duration such as 10s/);
  });

  test("what is shown can be given again", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_NAMES), fc.integer({ min: 1, max: 10 ** 9 }), (setting, number) => {
        const value = setting.unit === "switch" ? number % 2 === 0 : number;
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
});
