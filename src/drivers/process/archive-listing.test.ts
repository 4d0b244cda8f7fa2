import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { entryRefusal, parentsOf, parseTarLine, parseZipLine } from "./archive-listing.ts";

const tar = (line: string) => {
  const entry = parseTarLine(line);
  assert(entry, line);
  return entry;
};

describe("lists of archives", () => {
  test("lines of tar and unzip", () => {
    const file = tar("-rw-r--r-- 0/0               3 2026-11-22 05:00 d/a b");
    assert.deepEqual(file, { kind: "file", bytes: 3, name: "d/a b" });
    assert.deepEqual(parentsOf(file), ["d"]);
    assert.equal(tar("hrw-r--r-- 0/0               0 2026-11-22 05:00 d/h link to d/a b").kind, "hard-link");
    assert.equal(parseTarLine("nonsense"), undefined);
    assert.deepEqual(parseZipLine("     3152  2023-09-16 10:03   d/x"), { kind: "file", bytes: 3152, name: "d/x" });
    assert.equal(parseZipLine("142642512                     1226 files"), undefined);
  });

  test("what leads out of the folder, and devices, are refused; a link upwards in the folder is not", () => {
    const at = "2026-11-22 05:00";
    assert.match(entryRefusal(tar(`-rw-r--r-- 0/0 3 ${at} ../x`)) ?? "", /leads out/);
    assert.match(entryRefusal(tar(`-rw-r--r-- 0/0 3 ${at} a/../../x`)) ?? "", /leads out/);
    assert.match(entryRefusal(tar(`hrw-r--r-- 0/0 0 ${at} x link to ../etc/passwd`)) ?? "", /leads out/);
    assert.match(entryRefusal(tar(`crw-r--r-- 0/0 1,3 ${at} null`)) ?? "", /device/);
    assert.equal(entryRefusal(tar(`lrwxrwxrwx 0/0 0 ${at} bin/x -> ../lib/x`)), undefined);
    assert.equal(entryRefusal(tar(`-rw-r--r-- 0/0 3 ${at} a..b/..c`)), undefined);
  });
});
