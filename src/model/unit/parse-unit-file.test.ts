import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { splitMultiValue } from "./multi-value.ts";
import { parseUnitFile, UnitFileError } from "./parse-unit-file.ts";
import { serializedLines, serializeUnit, unitHash } from "./serialize-unit.ts";

type Triple = readonly [section: string, name: string, value: string];

function triples(text: string): Triple[] {
  return parseUnitFile(text).options.map(({ section, name, value }) => [section, name, value]);
}

describe("unit files: parsing as fleet does", () => {
  const rows: readonly { why: string; text: string; gives: readonly Triple[] }[] = [
    { why: "an option", text: "[Service]\nExecStart=/bin/true\n", gives: [["Service", "ExecStart", "/bin/true"]] },
    { why: "no newline at the end", text: "[S]\nA=b", gives: [["S", "A", "b"]] },
    { why: "text before the first section", text: "A=b\n[S]\nC=d\n", gives: [["S", "C", "d"]] },
    { why: "spaces around name and value", text: "[S]\n  A  =  b c  \n", gives: [["S", "A", "b c"]] },
    {
      why: "comments of both kinds, indented too",
      text: "[S]\n# x\n  ; y=z\nA=b # kept\n",
      gives: [["S", "A", "b # kept"]],
    },
    { why: "a comment that is continued", text: "[S]\n# one \\\nA=comment\nB=c\n", gives: [["S", "B", "c"]] },
    { why: "a continuation is kept raw", text: "[S]\nA=b \\\n  c\n", gives: [["S", "A", "b \\\n  c"]] },
    {
      why: "a blank line ends a continuation, its newline stays",
      text: "[S]\nA=b \\\n\nB=c\n",
      gives: [
        ["S", "A", "b \\\n"],
        ["S", "B", "c"],
      ],
    },
    {
      why: "a backslash before a space does not continue",
      text: "[S]\nA=b \\ \nB=c\n",
      gives: [
        ["S", "A", "b \\"],
        ["S", "B", "c"],
      ],
    },
    { why: "a carriage return is trimmed", text: "[S]\r\nA=b\r\n", gives: [["S", "A", "b"]] },
    {
      why: "a carriage return hides a continuation",
      text: "[S]\r\nA=b \\\r\nC=d\r\n",
      gives: [
        ["S", "A", "b \\"],
        ["S", "C", "d"],
      ],
    },
    { why: "an empty value", text: "[S]\nA=\n", gives: [["S", "A", ""]] },
    { why: "a value with =", text: "[S]\nA=b=c\n", gives: [["S", "A", "b=c"]] },
    {
      why: "sections and options repeat",
      text: "[S]\nA=1\n[T]\nB=2\n[S]\nA=3\n",
      gives: [
        ["S", "A", "1"],
        ["T", "B", "2"],
        ["S", "A", "3"],
      ],
    },
    { why: "any section name, spaces too", text: "[x y]\nA=b\n", gives: [["x y", "A", "b"]] },
    { why: "nothing at all", text: "", gives: [] },
    { why: "a file that ends in a continuation", text: "[S]\nA=b \\", gives: [["S", "A", "b \\"]] },
  ];
  for (const { why, text, gives } of rows) test(why, () => assert.deepEqual(triples(text), gives));

  const refusals: readonly { why: string; text: string; message: string; line: number }[] = [
    { why: "no ]", text: "[Service\nA=b\n", message: "unable to find end of section", line: 1 },
    {
      why: "text after ], in numbers as fleet prints it",
      text: "[S] x\n",
      message: "found garbage after section name : [120]",
      line: 1,
    },
    {
      why: "a name without =",
      text: "[S]\nA=b\nnonsense\n",
      message: "unexpected newline encountered while parsing option name",
      line: 3,
    },
    { why: "the end inside of a name", text: "[S]\nnonsense", message: "EOF", line: 2 },
    {
      why: "a line of 2048 bytes",
      text: `[S]\nA=${"x".repeat(2046)}\n`,
      message: "line too long (max 2048 bytes)",
      line: 2,
    },
  ];
  for (const { why, text, message, line } of refusals)
    test(`refused: ${why}`, () => {
      assert.throws(
        () => parseUnitFile(text),
        (error) => error instanceof UnitFileError && error.message === message && error.line === line,
      );
    });

  test("the longest line that is taken has 2047 bytes", () => {
    assert.equal(triples(`[S]\nA=${"x".repeat(2045)}\nB=c\n`)[0]?.[2].length, 2045);
  });

  test("each option knows its line", () => {
    const { options, lines } = parseUnitFile("# c\n[S]\n\nA=b \\\n  c\nD=e\n");
    assert.deepEqual(
      options.map(({ name }, at) => [name, lines[at]]),
      [
        ["A", 4],
        ["D", 6],
      ],
    );
  });

  test("any text is read or refused, and what is read survives being written and read again", () => {
    const piece = fc.oneof(
      fc.constantFrom("[S]", "[", "]", "=", "\n", "\r\n", "\\\n", "#", ";", " ", "A", 'ExecStart=/bin/sh -c "x"'),
      fc.string(),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        let file: ReturnType<typeof parseUnitFile>;
        try {
          file = parseUnitFile(text);
        } catch (error) {
          assert(error instanceof UnitFileError, String(error));
          return;
        }
        assert.equal(file.options.length, file.lines.length);
        serializeUnit(file.options);
      }),
      { numRuns: 500 },
    );
  });

  test("ordinary options survive being written and read again", () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ="'$%{}-]{0,30}[A-Za-z0-9]$/);
    const option = fc.record(
      {
        section: fc.constantFrom("Unit", "Service", "X-Fleet"),
        name: fc.stringMatching(/^[A-Z][A-Za-z]{0,12}$/),
        value: fc.oneof(word, fc.constant("")),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(option), (options) => {
        const bySection = [...Map.groupBy(options, ({ section }) => section).values()].flat();
        assert.deepEqual(parseUnitFile(serializeUnit(options)).options, bySection);
        assert.equal(unitHash(options), unitHash(bySection));
      }),
    );
  });
});

describe("unit files: writing", () => {
  test("sections in first-seen order, a blank line between them", () => {
    const { options } = parseUnitFile("[B]\nX=1\n[A]\nY=2\n[B]\nZ=3\n");
    assert.equal(serializeUnit(options), "[B]\nX=1\nZ=3\n\n[A]\nY=2\n");
    assert.deepEqual(serializedLines(options), [2, 6, 3]);
  });

  test("the hash is fleet's", () => {
    const { options } = parseUnitFile("# comment\n[Service]\n\nExecStart = /bin/sleep 100\n");
    assert.equal(unitHash(options), "1c6fb6f3684bafb0c173d8b8b957ceff031180c1");
  });
});

describe("unit files: lists in [X-Fleet]", () => {
  const rows: readonly [why: string, value: string, gives: readonly string[]][] = [
    ["quoted words", '"a=1" "b=2"', ["a=1", "b=2"]],
    ["no quotes is one value", "a=1 b=2", ["a=1 b=2"]],
    ["a space inside of quotes stays", '"a=1 2"', ["a=1 2"]],
    ["two spaces make an empty value", '"a"  "b"', ["a", "", "b"]],
    ["quotes on one side only", '"a=1', ['"a=1']],
  ];
  for (const [why, value, gives] of rows) test(why, () => assert.deepEqual(splitMultiValue(value), gives));
});
