import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseDocument } from "yaml";
import { ApiError } from "../../../model/errors.ts";
import { parseBody } from "./read-body.ts";
import { parseYaml } from "./yaml.ts";

const keys = (count: number, of = (n: number) => `key${n}: v`) =>
  Array.from({ length: count }, (_, n) => of(n)).join("\n");

function refused(text: string, reason: string, words: RegExp): void {
  assert.throws(
    () => parseBody(text, "yaml"),
    (error) => error instanceof ApiError && error.reason === reason && words.test(error.message),
  );
}

/** Processor time, and the best of three: the machine may be busy. */
function quickestMs(work: () => void): number {
  const times = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    work();
    return process.cpuUsage(before).user / 1000;
  });
  return Math.min(...times);
}

describe("YAML bodies", () => {
  test("50,000 keys are read in less than a second", () => {
    const text = keys(50_000);
    const ms = quickestMs(() => assert.equal(Object.keys(parseYaml(text) as object).length, 50_000));
    assert(ms < 1000, `${ms} ms`);
  });

  test("a key given twice is refused with its place, wherever it is", () => {
    const at = (line: number, column: number) =>
      new RegExp(`^error converting YAML to JSON: yaml: Map keys must be unique at line ${line}, column ${column}$`);
    refused("a: 1\nb: 2\na: 3\n", "BadRequest", at(3, 1));
    refused("l:\n- x: 1\n  x: 2\n", "BadRequest", at(3, 3));
    refused("{a: {b: 1, 'b': 2}}", "BadRequest", at(1, 12));
    refused(`${keys(50_000)}\nkey7: again`, "BadRequest", at(50_001, 1));
    assert.deepEqual(parseYaml("'1': a\n1: b\n"), { "1": "b" });
  });

  test("it refuses what the library's own search for repeated keys refuses, in the same place", () => {
    const scalar = fc.constantFrom("a", "b", "1", "'1'", "true", "~", "1.0", '"a"');
    const flow = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        scalar,
        fc.array(fc.tuple(scalar, tie("node"))).map((all) => `{${all.map(([k, v]) => `${k} : ${v}`).join(", ")}}`),
        fc.array(tie("node")).map((all) => `[${all.join(", ")}]`),
      ),
    })).node;
    fc.assert(
      fc.property(flow, (text) => {
        // In flow style, the library tells of a repeated key after what is in its value.
        const [first] = parseDocument(text, { version: "1.1", merge: true }).errors.toSorted(
          (x, y) => x.pos[0] - y.pos[0],
        );
        if (first) refused(text, "BadRequest", new RegExp(` unique at line 1, column ${first.pos[0] + 1}$`));
        else parseYaml(text);
      }),
    );
  });

  test("aliases are bounded: a small text becomes no huge value, and many of them no long search", () => {
    const laughs = keys(
      9,
      (n) =>
        `l${n}: &l${n} [${
          n === 0
            ? "x"
            : Array(9)
                .fill(`*l${n - 1}`)
                .join(", ")
        }]`,
    );
    refused(laughs, "BadRequest", /Excessive alias count/);
    refused(
      keys(10_000, (n) => `k${n}: &a${n} 1\nl${n}: *a${n}`),
      "BadRequest",
      /more than 1000 aliases/,
    );
    refused("a: &a [*a]", "BadRequest", /a value contains itself$/);
  });

  test("size, lines and depth are bounded", () => {
    refused(`a: ${"x".repeat(1024 * 1024)}`, "TooLarge", /^Request entity too large: limit of YAML is 1048576$/);
    refused(`[${"1,".repeat(200_001)}]`, "TooLarge", /limit of lines and items in YAML is 200000$/);
    for (const depth of [201, 20_000]) refused("[".repeat(depth) + "]".repeat(depth), "BadRequest", /./);
    refused(`${"- ".repeat(3000)}x`, "BadRequest", /./);
  });
});
