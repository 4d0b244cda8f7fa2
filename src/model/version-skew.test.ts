import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseVersion, skewProblem } from "./version-skew.ts";

describe("version skew", () => {
  const works = [
    { mine: "1.4.0", theirs: "1.4.9", why: "patches do not matter" },
    { mine: "1.4.0", theirs: "1.5.0", why: "the other is one minor version ahead" },
    { mine: "1.4.0", theirs: "1.3.7", why: "the other is one minor version behind" },
    { mine: "0.1.0", theirs: "0.2.0-rc.1", why: "a pre-release counts as its version" },
    { mine: "1.4.0", theirs: undefined, why: "a foreign program says none" },
  ];
  for (const { mine, theirs, why } of works) {
    test(`${mine} works with ${theirs}: ${why}`, () => {
      assert.equal(skewProblem(mine, theirs, "server"), undefined);
    });
  }

  const refused = [
    {
      mine: "1.4.0",
      theirs: "1.6.0",
      who: "server",
      words: /2 minor versions apart.*upgrade the command styr to 1\.5 or 1\.6$/,
    },
    { mine: "1.6.0", theirs: "1.4.0", who: "server", words: /upgrade the server to 1\.5 or 1\.6$/ },
    { mine: "1.6.0", theirs: "1.4.0", who: "agent", words: /upgrade the agent to 1\.5 or 1\.6$/ },
    { mine: "1.4.0", theirs: "1.9.0", who: "agent", words: /upgrade the server to 1\.8 or 1\.9$/ },
    { mine: "1.4.0", theirs: "2.0.0", who: "cli", words: /a major version apart.*upgrade the server to 2\.0$/ },
    { mine: "1.4.0", theirs: "banana", who: "agent", words: /calls its version "banana", which is none/ },
    { mine: "1.4.0", theirs: "", who: "agent", words: /calls its version ""/ },
  ] as const;
  for (const { mine, theirs, who, words } of refused) {
    test(`${mine} refuses ${who} ${theirs || "without a word"}, and says what to do`, () => {
      assert.match(skewProblem(mine, theirs, who) ?? "", words);
    });
  }

  test("two servers are told apart by their age", () => {
    assert.match(skewProblem("1.1.0", "1.3.0", "server", "server") ?? "", /upgrade the older server to 1\.2 or 1\.3$/);
  });

  test("both sides of every pair agree whether they work together", () => {
    const version = fc.tuple(fc.nat(3), fc.nat(5), fc.nat(9)).map((parts) => parts.join("."));
    fc.assert(
      fc.property(version, version, (a, b) => {
        assert.equal(skewProblem(a, b, "server") === undefined, skewProblem(b, a, "cli") === undefined);
      }),
    );
  });

  test("what another side sends never breaks the sentence", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const problem = skewProblem("1.4.0", text, "agent");
        if (parseVersion(text)) return;
        assert.match(problem ?? "", /^[\x20-\x7e]+$/);
        assert.ok((problem ?? "").length < 200);
      }),
    );
  });
});
