import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type InputFile, type Item, itemTitle } from "./item.ts";
import { recognise } from "./recognise.ts";

const UNIT = "[Service]\nExecStart=/bin/sleep 100\n";
const POD = "apiVersion: v1\nkind: Pod\nmetadata: { name: web }\n";

function file(baseName: string | undefined, text: string): InputFile {
  return baseName === undefined ? { shown: "standard input", text } : { shown: `dir/${baseName}`, baseName, text };
}

async function titles(input: InputFile): Promise<readonly string[]> {
  return (await recognise(input)).map((item: Item) => `${item.dialect}: ${itemTitle(item)}`);
}

describe("recognise: what a file is", () => {
  const cases: readonly { why: string; name: string; text: string; is: readonly string[] }[] = [
    { why: "a unit by its suffix", name: "a.service", text: UNIT, is: ["fleet: unit a.service"] },
    { why: "a unit by its content", name: "web", text: `# hello\n\n${UNIT}`, is: ["fleet: unit web.service"] },
    { why: "a timer", name: "a.timer", text: "[Timer]\nOnCalendar=daily\n", is: ["fleet: unit a.timer"] },
    { why: "a template", name: "a@.service", text: UNIT, is: ["fleet: unit a@.service"] },
    { why: "a Marathon app", name: "a.json", text: '{"id": "web", "cmd": "sleep 1"}', is: ["marathon: app /web"] },
    {
      why: "several apps",
      name: "a.json",
      text: '[{"id":"/a","cmd":"x y"},{"id":"b/../c","args":["x"]}]',
      is: ["marathon: app /a", "marathon: app /c"],
    },
    { why: "a group", name: "g.json", text: '{"id":"/shop","groups":[],"apps":[]}', is: ["marathon: group /shop"] },
    { why: "a Marathon pod", name: "p.json", text: '{"id":"/p","containers":[]}', is: ["marathon: pod /p"] },
    {
      why: "what GET /v2/apps gave",
      name: "a.json",
      text: '{"apps":[{"id":"/a","cmd":"x y"}]}',
      is: ["marathon: app /a"],
    },
    {
      why: "documents of Kubernetes, empty ones left out",
      name: "k.yaml",
      text: `---\n${POD}---\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n`,
      is: ["kubernetes: Pod web", "kubernetes: Service shop/web"],
    },
    {
      why: "a List",
      name: "k.json",
      text: '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}]}',
      is: ["kubernetes: Pod a"],
    },
    {
      why: "a unit as fleet's API has it",
      name: "u.json",
      text: '{"name":"a.service","options":[{"section":"Service","name":"ExecStart","value":"/bin/true"}]}',
      is: ["fleet: unit a.service"],
    },
    { why: "a byte order mark", name: "a.json", text: '\ufeff{"id":"a","cmd":"x y"}', is: ["marathon: app /a"] },
  ];
  for (const { why, name, text, is } of cases)
    test(why, async () => assert.deepEqual(await titles(file(name, text)), is));

  test("what it is does not depend on the name of the file", async () => {
    assert.deepEqual(await titles(file(undefined, POD)), ["kubernetes: Pod web"]);
    assert.deepEqual(await titles(file("x.txt", '{"id":"a","cmd":"x y"}')), ["marathon: app /a"]);
  });
});

describe("recognise: bad input gets one message with its place", () => {
  const cases: readonly { why: string; name: string | undefined; text: string; message: RegExp }[] = [
    {
      why: "cut JSON",
      name: "a.json",
      text: '{"id": "web",\n  "cmd": "sl',
      message: /^dir\/a\.json:2:\d+: not JSON: .*cut off\?\)$/,
    },
    { why: "wrong JSON", name: "a.json", text: '{"id": "web",\n  nope }', message: /^dir\/a\.json:2:3: not JSON: / },
    { why: "wrong YAML", name: "a.yaml", text: "a: 1\n  b: [\n", message: /^dir\/a\.yaml:\d+:\d+: not YAML: / },
    {
      why: "the same key twice",
      name: "a.yaml",
      text: "kind: Pod\nkind: Pod\n",
      message: /^dir\/a\.yaml:2:1: not YAML: .*unique/,
    },
    { why: "nothing known", name: "a.json", text: '{"hello": 1}', message: /^dir\/a\.json: cannot tell what this is/ },
    { why: "a number", name: "a.yaml", text: "42", message: /^dir\/a\.yaml:1: cannot tell what this is/ },
    { why: "no kind", name: "a.yaml", text: "apiVersion: v1\n", message: /^dir\/a\.yaml:1: kind is missing$/ },
    { why: "no name", name: "a.yaml", text: "apiVersion: v1\nkind: Pod\n", message: /metadata\.name is missing$/ },
    {
      why: "a kind that is a path",
      name: "a.yaml",
      text: "apiVersion: v1\nkind: ../Pod\n",
      message: /kind: "\.\.\/Pod" is not a kind/,
    },
    { why: "an app without an id", name: "a.json", text: '{"cmd": "x y"}', message: /"id" is missing$/ },
    { why: "an id alone", name: "a.json", text: '{"id": "x"}', message: /none of "cmd", "args" and "container"/ },
    {
      why: "the third of a list",
      name: "a.json",
      text: '[{"id":"a","cmd":"x y"},{"id":"b","cmd":"x y"},7]',
      message: /a\.json: item 3: /,
    },
    { why: "an empty file", name: "a.yaml", text: " \n", message: /^dir\/a\.yaml: it is empty$/ },
    {
      why: "a broken section",
      name: "a.service",
      text: "[Service\nExecStart=/bin/true\n",
      message: /^dir\/a\.service:\d+: unable to find end of section$/,
    },
    {
      why: "two ExecStart in a simple service",
      name: "a.service",
      text: "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n",
      message: /^dir\/a\.service:3: Service has more than one ExecStart= setting/,
    },
    { why: "a unit without a name", name: undefined, text: UNIT, message: /needs a name: --name/ },
    {
      why: "a small file that would become huge",
      name: "a.yaml",
      text: `a: &a [${"x,".repeat(50)}]\nb: &b [${"*a,".repeat(50)}]\nc: &c [${"*b,".repeat(50)}]\nd: [${"*c,".repeat(50)}]\n`,
      message: /Excessive alias count/,
    },
  ];
  for (const { why, name, text, message } of cases) {
    test(why, () => assert.rejects(recognise(file(name, text)), { name: "InputError", message }));
  }

  test("an unknown key is a warning that names the line and what was meant", async () => {
    const text = "[Service]\nExecStart=/bin/true\nExecStartPRE=/bin/false\n";
    const [item] = await recognise(file("a.service", text));
    assert.deepEqual(item?.warnings, [
      'dir/a.service:3: unknown key "ExecStartPRE" in [Service] is ignored; did you mean "ExecStartPre"?',
    ]);
  });

  test("arbitrary text is recognised or refused, and nothing else", async () => {
    const pieces = fc.constantFrom(
      "[Unit]\n",
      "{",
      "}",
      "apiVersion: v1\n",
      "---\n",
      '"id"',
      ":",
      "- ",
      "&a ",
      "*a",
      "\\\n",
      "=",
      "\u0000",
    );
    const text = fc.array(fc.oneof(pieces, fc.string({ unit: "binary", maxLength: 8 }))).map((parts) => parts.join(""));
    const name = fc.constantFrom("a.service", "a.json", "a.yaml", "a", undefined);
    await fc.assert(
      fc.asyncProperty(name, text, async (baseName, body) => {
        try {
          assert.ok((await recognise(file(baseName, body))).length > 0);
        } catch (error) {
          assert.equal((error as Error).name, "InputError", (error as Error).stack);
        }
      }),
      { numRuns: 500 },
    );
  });
});
