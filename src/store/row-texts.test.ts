import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredObject } from "../model/meta.ts";
import { RowTexts } from "./row-texts.ts";

/** Counts how often it is made into JSON. */
function counted(name: string): { readonly object: StoredObject; readonly made: () => number } {
  let made = 0;
  const toJSON = () => {
    made++;
    return { name };
  };
  return { object: { metadata: { name }, toJSON } as unknown as StoredObject, made: () => made };
}

test("the text of a version is made once for all who keep up", () => {
  const texts = new RowTexts(undefined);
  const { object, made } = counted("a");
  assert.equal(texts.of(object), '{"name":"a"}');
  assert.equal(texts.of(object), '{"name":"a"}');
  assert.equal(made(), 1);
});

test("texts that nobody asks for are dropped, those that are asked for stay, and all can be had again", () => {
  const texts = new RowTexts(undefined, 10 * '{"name":"p000"}'.length);
  const asked = counted("p999");
  const all = Array.from({ length: 100 }, (_, at) => counted(`p${String(at).padStart(3, "0")}`));
  for (const { object } of all) {
    texts.of(object);
    texts.of(asked.object);
  }
  assert.ok(texts.kept <= 20, `${texts.kept} are kept`);
  assert.equal(asked.made(), 1);
  const [first] = all;
  assert.equal(first && texts.of(first.object), '{"name":"p000"}');
  assert.equal(first?.made(), 2);
});

test("a version that was replaced keeps no text", () => {
  const texts = new RowTexts(undefined);
  const { object } = counted("a");
  texts.of(object);
  texts.forget(object);
  assert.equal(texts.kept, 0);
});
