import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InputError } from "./item.ts";
import { parseDocuments } from "./parse-documents.ts";

const file = (text: string) => ({ shown: "a.yaml", baseName: "a.yaml", text });

function refused(text: string, words: RegExp): Promise<void> {
  return assert.rejects(
    parseDocuments(file(text)),
    (error) => error instanceof InputError && words.test(error.message),
  );
}

describe("documents of a file", () => {
  test("50,000 keys are read in less than a second, and one given twice is found", async () => {
    const text = Array.from({ length: 50_000 }, (_, n) => `key${n}: v`).join("\n");
    const times: number[] = [];
    for (let count = 0; count < 3; count++) {
      // Processor time: the machine may be busy.
      const before = process.cpuUsage();
      assert.equal((await parseDocuments(file(text))).length, 1);
      times.push(process.cpuUsage(before).user / 1000);
    }
    assert(Math.min(...times) < 1000, `${times} ms`);
    await refused(`${text}\nkey9: x`, /^a\.yaml:50001:1: not YAML: Map keys must be unique$/);
  });

  test("a repeated key in a later document has its own line", () =>
    refused("a: 1\n---\nb:\n  c: 1\n  c: 2\n", /^a\.yaml:5:3: not YAML: Map keys must be unique$/));

  test("what nests too deep, or contains itself, is refused in words", async () => {
    await refused(`a: 1\n---\n${"[".repeat(201)}${"]".repeat(201)}`, /^a\.yaml:3: it nests deeper than 200 levels$/);
    await refused(`${"[".repeat(20_000)}`, /not YAML/);
    await refused("a: &a [*a]", /contains itself/);
  });
});
