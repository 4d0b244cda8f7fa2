/** The files that the guide and README tell people to run are there, and are what they say. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { test } from "node:test";
import { itemTitle } from "../../src/cli/apply/item.ts";
import { readInputs } from "../../src/cli/apply/read-inputs.ts";

const project = (path: string) => new URL(`../../${path}`, import.meta.url).pathname;

test("each file that the guide or README applies is in the repository", () => {
  const commands = (page: string) =>
    [...readFileSync(project(page), "utf8").matchAll(/styr apply ([^`#\n]+)/g)].flatMap(([, words = ""]) =>
      words.split(" ").filter((word) => /\.(service|json|yaml)$/.test(word)),
    );
  const guide = commands("docs/guide.md");
  assert.ok(guide.length >= 6, guide.join(" "));
  for (const name of guide) assert.ok(existsSync(project(`examples/guide/${name}`)), name);
  const readme = commands("README.md");
  assert.ok(readme.length >= 1);
  for (const path of readme) assert.ok(existsSync(project(path)), path);
});

test("the guide's files are sound, but for the misspelt key that the guide shows", async () => {
  const items = await readInputs([project("examples/guide")], Readable.from([]), { recursive: false });
  assert.deepEqual(items.map(itemTitle).sort(), [
    "ReplicationController site",
    "app /big",
    "app /shop/cart",
    "unit broken.service",
    "unit greeter.service",
    "unit picky.service",
    "unit worker@.service",
  ]);
  const warnings = items.flatMap((item) => item.warnings);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /greeter\.service:6: unknown key "ExecStartPRE".*did you mean "ExecStartPre"\?$/);
});
