import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseAssignments, parseEnvironmentFile } from "./environment.ts";
import { addExitStatuses, hasExitStatus, NO_EXIT_STATUS } from "./exit-status-set.ts";
import { parseUnitName } from "./unit-name.ts";
import { parseBoolean, parseBytes, parsePercent, parseSignal, parseTimeSpanMs, signalName } from "./values.ts";

describe("values", () => {
  const spans: readonly [text: string, ms: number | undefined][] = [
    ["90", 90_000],
    ["5min 20s", 320_000],
    ["5min20s", 320_000],
    ["1.5h", 5_400_000],
    ["500ms", 500],
    ["2 weeks", 1_209_600_000],
    ["100us", 0.1],
    ["1M", 2_629_800_000],
    ["1m", 60_000],
    ["infinity", Number.POSITIVE_INFINITY],
    ["0", 0],
    ["", undefined],
    ["5 parsecs", undefined],
    ["-5", undefined],
    ["s", undefined],
  ];
  for (const [text, ms] of spans) test(`time span ${text || "(empty)"}`, () => assert.equal(parseTimeSpanMs(text), ms));

  test("time spans add up, whatever their order", () => {
    const part = fc.tuple(fc.nat(1000), fc.constantFrom("s", "min", "ms", "h", "sec", "d"));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), (parts) => {
        const whole = parseTimeSpanMs(parts.map(([count, unit]) => `${count}${unit}`).join(" "));
        const sum = parts.reduce(
          (total, [count, unit]) => total + (parseTimeSpanMs(`${count}${unit}`) ?? Number.NaN),
          0,
        );
        assert.equal(whole, sum);
      }),
    );
  });

  test("any text is a time span or none", () => {
    fc.assert(fc.property(fc.string(), (text) => !Number.isNaN(parseTimeSpanMs(text) ?? 0)));
  });

  test("booleans in any case, and nothing else", () => {
    assert.deepEqual(["1", "YES", "true", "On", "t"].map(parseBoolean), Array(5).fill(true));
    assert.deepEqual(["0", "no", "FALSE", "off", "n"].map(parseBoolean), Array(5).fill(false));
    assert.deepEqual(["", "2", "yep"].map(parseBoolean), Array(3).fill(undefined));
  });

  test("sizes count by 1024", () => {
    assert.deepEqual(["512", "1K", "1.5G", "2T", "x", "-1", "1Q"].map(parseBytes), [
      512,
      1024,
      1_610_612_736,
      2_199_023_255_552,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("percentages", () => {
    assert.deepEqual(["20%", "12.5%", "150%", "20", "x%"].map(parsePercent), [20, 12.5, 150, undefined, undefined]);
  });

  test("signals by name with and without SIG, and by number", () => {
    assert.deepEqual(["SIGTERM", "TERM", "15", "SIGWHAT", "0"].map(parseSignal), [15, 15, 15, undefined, undefined]);
    assert.equal(signalName(9), "SIGKILL");
  });

  test("exit status sets: numbers are codes, names may be codes or signals", () => {
    const { set, unknown } = addExitStatuses(NO_EXIT_STATUS, ["3", "TEMPFAIL", "SIGKILL", "USR1", "256", "WHAT"]);
    assert.deepEqual(set, { codes: [3, 75], signals: [9, 10] });
    assert.deepEqual(unknown, ["256", "WHAT"]);
    assert(hasExitStatus(set, { code: 75 }) && hasExitStatus(set, { signal: 9 }) && !hasExitStatus(set, { code: 9 }));
  });

  test("names of units", () => {
    assert.deepEqual(parseUnitName("foo@bar@baz.service"), {
      full: "foo@bar@baz.service",
      prefix: "foo",
      instance: "bar@baz",
      suffix: "service",
    });
    assert.equal(parseUnitName("p@.service").instance, "");
    assert.equal(parseUnitName("a.b.service").prefix, "a.b");
  });
});

describe("Environment=", () => {
  const rows: readonly [why: string, value: string, gives: readonly (readonly string[])[], problems: number][] = [
    [
      "several",
      "A=1 B=2",
      [
        ["A", "1"],
        ["B", "2"],
      ],
      0,
    ],
    [
      "a quoted assignment",
      '"A=b c" D=e',
      [
        ["A", "b c"],
        ["D", "e"],
      ],
      0,
    ],
    ["a quoted value", 'A="b c"', [["A", "b c"]], 0],
    ["an empty value", "A=", [["A", ""]], 0],
    ["= in the value", "A=b=c", [["A", "b=c"]], 0],
    [
      "a wrong item is left out",
      "A=1 nonsense 2B=x C=3",
      [
        ["A", "1"],
        ["C", "3"],
      ],
      2,
    ],
  ];
  for (const [why, value, gives, problems] of rows)
    test(why, () => {
      const read = parseAssignments(value);
      assert.deepEqual([read.assignments, read.problems.length], [gives, problems]);
    });
});

describe("EnvironmentFile=", () => {
  const rows: readonly [why: string, text: string, gives: Record<string, string>][] = [
    ["lines", "A=1\nB=two words  \n", { A: "1", B: "two words" }],
    ["comments of both kinds", "# x=y\n; z=w\nA=1\n", { A: "1" }],
    ["quotes of both kinds", `A="b c"\nB='d "e"'\n`, { A: "b c", B: 'd "e"' }],
    ["a part after the quotes", 'A="b" c\n', { A: "bc" }],
    ["escapes in double quotes", 'A="a\\"b\\$c\\d"\n', { A: 'a"b$c\\d' }],
    ["escapes outside of quotes", "A=a\\ b\\=\n", { A: "a b=" }],
    ["a line continued", "A=a\\\nb\nC=d\n", { A: "ab", C: "d" }],
    ["quotes over several lines", 'A="a\nb"\n', { A: "a\nb" }],
    ["a line that is none", "nonsense\nA=1\n", { A: "1" }],
    ["a name that cannot be one", "export A=1\n2B=3\nC=4\n", { C: "4" }],
    ["the later wins", "A=1\nA=2\n", { A: "2" }],
    ["a hash in a value", "A=b#c\n", { A: "b#c" }],
    ["carriage returns", "A=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["nothing", "", {}],
  ];
  for (const [why, text, gives] of rows)
    test(why, () => assert.deepEqual(Object.fromEntries(parseEnvironmentFile(text)), gives));

  test("any text is read", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const [name] of parseEnvironmentFile(text)) assert.match(name, /^[A-Za-z_]/);
      }),
      { numRuns: 500 },
    );
  });
});
