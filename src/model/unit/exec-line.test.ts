import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseExecLine } from "./exec-line.ts";
import { expandWords } from "./expand-words.ts";
import { joinLines } from "./join-lines.ts";
import { expandSpecifiers } from "./specifiers.ts";

const same = (text: string) => text;

describe("Exec lines", () => {
  const rows: readonly { why: string; line: string; gives: readonly (readonly string[])[] }[] = [
    { why: "words", line: "/bin/echo a  b", gives: [["/bin/echo", "a", "b"]] },
    { why: "double quotes", line: '/bin/sh -c "a b"', gives: [["/bin/sh", "-c", "a b"]] },
    { why: "single quotes keep double ones", line: `/bin/sh -c 'say "x"'`, gives: [["/bin/sh", "-c", 'say "x"']] },
    { why: "quotes inside of a word", line: '/bin/echo a"b c"d', gives: [["/bin/echo", "ab cd"]] },
    { why: "an empty word", line: '/bin/echo ""', gives: [["/bin/echo", ""]] },
    { why: "C escapes", line: String.raw`/bin/echo \x41\n\s\101\u00e9 \"`, gives: [["/bin/echo", "A\n Aé", '"']] },
    { why: "an unknown escape stays", line: String.raw`/bin/grep \d`, gives: [["/bin/grep", "\\d"]] },
    {
      why: "a semicolon of its own separates",
      line: "/bin/a 1 ; /bin/b 2",
      gives: [
        ["/bin/a", "1"],
        ["/bin/b", "2"],
      ],
    },
    { why: "a semicolon in a word does not", line: "/bin/a 1; 2;3", gives: [["/bin/a", "1;", "2;3"]] },
    {
      why: "an escaped semicolon is a word",
      line: String.raw`/bin/find -exec x \; -y`,
      gives: [["/bin/find", "-exec", "x", ";", "-y"]],
    },
    { why: "a quoted semicolon is a word", line: '/bin/a ";" b', gives: [["/bin/a", ";", "b"]] },
    { why: "@ makes the second word argv[0]", line: "@/bin/sh -sh x", gives: [["-sh", "x"]] },
    {
      why: "what follows a closing quote belongs to the word",
      line: `/bin/sh -c "a";`,
      gives: [["/bin/sh", "-c", "a;"]],
    },
    { why: "a name to look up", line: "sleep 5", gives: [["sleep", "5"]] },
  ];
  for (const { why, line, gives } of rows)
    test(why, () => {
      const read = parseExecLine(line, 1, same);
      assert.equal(read.error, undefined);
      assert.deepEqual(
        read.commands.map(({ argv }) => argv),
        gives,
      );
    });

  const prefixes: readonly [why: string, line: string, ignores: boolean, expands: boolean, privileged: boolean][] = [
    ["none", "/a", false, true, false],
    ["-", "-/a", true, true, false],
    [":", ":/a", false, false, false],
    ["+", "+/a", false, true, true],
    ["!!", "!!/a", false, true, true],
    ["several, in any order", ":-+/a", true, false, true],
  ];
  for (const [why, line, ignoresFailure, expandsVariables, privileged] of prefixes)
    test(`prefix: ${why}`, () => {
      const [command] = parseExecLine(line, 7, same).commands;
      assert.deepEqual(command, { path: "/a", argv: ["/a"], ignoresFailure, expandsVariables, privileged, line: 7 });
    });

  const refused: readonly [why: string, line: string, message: RegExp][] = [
    ["a quote that is not closed", '/bin/sh -c "a', /never closed/],
    ["a lone backslash at the end", "/bin/a b\\", /lone backslash/],
    ["a relative path", "bin/a", /neither an absolute path/],
    ["a folder", "/bin/", /folder/],
    ["a prefix alone", "@ x", /no program/],
    ["@ without a second word", "@/bin/sh", /no argument/],
    ["the second command", "/bin/a ; bin/b", /neither/],
  ];
  for (const [why, line, message] of refused)
    test(`refused: ${why}`, () => assert.match(parseExecLine(line, 1, same).error ?? "", message));

  test("what is wrong after a dash is left out with a warning", () => {
    const { commands, error, warnings } = parseExecLine("-bin/a", 1, same);
    assert.deepEqual([commands, error, warnings.length], [[], undefined, 1]);
  });

  test("any text is read or refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (line) => {
        const { commands, error } = parseExecLine(line, 1, same);
        for (const { path, argv } of commands) assert(path !== "" && argv.length > 0);
        assert(error === undefined || error.length > 0);
      }),
      { numRuns: 500 },
    );
  });

  test("a word that is quoted comes out as it was", () => {
    const quote = (word: string) => `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
    fc.assert(
      fc.property(fc.array(fc.string().filter((word) => !word.includes("\0"))), (words) => {
        const { commands } = parseExecLine(`/bin/a ${words.map(quote).join(" ")}`, 1, same);
        assert.deepEqual(commands[0]?.argv, ["/bin/a", ...words]);
      }),
    );
  });
});

describe("variables in command lines", () => {
  const variables = { ONE: "1", TWO: "a b", QUOTED: `"a b" c`, EMPTY: "" };
  const rows: readonly [why: string, word: string, gives: readonly string[]][] = [
    ["$NAME alone is split", "$TWO", ["a", "b"]],
    ["its quotes count", "$QUOTED", ["a b", "c"]],
    ["empty gives no word", "$EMPTY", []],
    ["unset gives no word", "$NONE", []],
    ["a word that begins with $ is a name to its end", "$ONE/x", []],
    ["braces stay in one word", "x${TWO}y", ["xa by"]],
    ["braces alone are one word", "${TWO}", ["a b"]],
    ["braces of an unset name are empty", "x${NONE}y", ["xy"]],
    ["$ inside of a word is for the shell", "echo $ONE", ["echo $ONE"]],
    ["a shell's own substitution stays", "x$(date)", ["x$(date)"]],
    ["two dollars are one", "$$ONE", ["$ONE"]],
    ["braces with something else stay", "a${ONE:-x}", ["a${ONE:-x}"]],
    ["prototype names are not variables", "x${constructor}y", ["xy"]],
  ];
  for (const [why, word, gives] of rows) test(why, () => assert.deepEqual(expandWords([word], variables), gives));
});

describe("specifiers", () => {
  const facts = { hostname: "n1.example.org", machineId: "ab12", bootId: "b-b", architecture: "x64" };
  const rows: readonly [text: string, unit: string, gives: string][] = [
    ["%n", "a@b.service", "a@b.service"],
    ["%N", "a@b.service", "a@b"],
    ["%p", "a@b@c.service", "a"],
    ["%i", "a@b@c.service", "b@c"],
    ["%i", "a.service", ""],
    ["%I", "mount@srv-my\\x2ddata.service", "srv/my-data"],
    ["%i", "mount@srv-data.service", "srv-data"],
    ["%j", "a-b-c@x.service", "c"],
    ["%H/%l/%m/%b/%a", "a.service", "n1.example.org/n1/ab12/bb/x86-64"],
    ["date +%%s", "a.service", "date +%s"],
    ["%t %u %h %s", "a.service", "/run root /root /bin/sh"],
    ["100% and %Z", "a.service", "100% and %Z"],
  ];
  for (const [text, unit, gives] of rows)
    test(`${text} of ${unit}`, () => assert.equal(expandSpecifiers(text, unit, facts), gives));

  test("without facts what only the host knows stays", () => {
    assert.equal(expandSpecifiers("%H %n", "a.service"), "%H a.service");
  });
});

describe("continued lines", () => {
  const rows: readonly [why: string, value: string, gives: string][] = [
    ["one line", "a b", "a b"],
    ["two lines, the blanks of the second gone", "a \\\n   b", "a  b"],
    ["a comment between is left out", "a \\\n# no\n b", "a  b"],
    ["a comment with a backslash is left out whole", "a \\\n; no \\\n b", "a  b"],
    ["a trailing newline", "a \\\n", "a"],
  ];
  for (const [why, value, gives] of rows) test(why, () => assert.equal(joinLines(value).text, gives));

  test("a doubled backslash does not continue for systemd, although it does for fleet", () => {
    assert.deepEqual(joinLines("a \\\\\nb"), { text: "a \\\\", leftOver: "b" });
  });
});
