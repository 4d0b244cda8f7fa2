import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { numbered, openRow, readSealed, sealRow } from "./sealed-row.ts";

const key = randomBytes(32);
const sealed = (json: string, kind = "Secret", name = "default/db") => sealRow(key, "k1", kind, name, json);
const opened = (text: string, kind = "Secret", name = "default/db", by = key) => {
  const row = readSealed(text);
  return row && openRow(by, row, kind, name);
};

describe("a sealed row", () => {
  test("opens as what it was, whatever it was", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        assert.equal(opened(sealed(json)), json);
      }),
    );
  });

  test("shows nothing of what it holds, and two of the same differ", () => {
    const text = sealed('{"password":"hunter2"}');
    assert.doesNotMatch(text, /hunter2|password/);
    assert.notEqual(text, sealed('{"password":"hunter2"}'));
  });

  test("does not open once any character of it was changed", () => {
    const text = sealed('{"metadata":{"resourceVersion":"7"},"data":{"a":"b"}}');
    const { box } = JSON.parse(text) as { box: string };
    fc.assert(
      fc.property(fc.nat(box.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, char) => {
        fc.pre(box[at] !== char);
        const other = JSON.stringify({ ...JSON.parse(text), box: box.slice(0, at) + char + box.slice(at + 1) });
        assert.equal(opened(other), undefined);
      }),
    );
  });

  test("does not open under another key, in another place, or cut short", () => {
    const text = sealed("{}");
    const { box } = JSON.parse(text) as { box: string };
    assert.equal(opened(text, "Secret", "default/db", randomBytes(32)), undefined);
    assert.equal(opened(text, "Secret", "default/other"), undefined);
    assert.equal(opened(text, "ClusterTrust"), undefined);
    assert.equal(opened(JSON.stringify({ sealed: "v1", key: "k1", box: box.slice(0, 20) })), undefined);
    assert.equal(opened(JSON.stringify({ sealed: "v1", key: "k1", box: "" })), undefined);
  });

  test("a row in clear is told from it", () => {
    assert.equal(readSealed('{"apiVersion":"v1","kind":"Secret","sealed":"v1"}'), undefined);
    assert.equal(readSealed('{"sealed":true}'), undefined);
  });

  test("the object takes the number of its row", () => {
    const json = '{"metadata":{"name":"a","resourceVersion":"7"}}';
    assert.equal(numbered(json, 7), json);
    assert.equal(numbered(json, 9), '{"metadata":{"name":"a","resourceVersion":"9"}}');
  });
});
