import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { packageFiles } from "./package-files.ts";

const HERE = fileURLToPath(import.meta.url);

test("a package is taken with those that it needs, and with its licence, without what does not run", () => {
  const places = packageFiles(["dns-packet"], HERE).map(([path]) => path);
  for (const wanted of ["dns-packet/index.js", "dns-packet/package.json", "dns-packet/LICENSE"])
    assert.ok(places.includes(`node_modules/${wanted}`), `${wanted} is missing among ${places}`);
  assert.ok(places.includes("node_modules/@leichtgewicht/ip-codec/index.cjs"), String(places));
  assert.ok(!places.some((path) => /\.md$|\.d\.ts$/i.test(path)), String(places));
});

test("a package that is not installed is said by its name", () => {
  assert.throws(() => packageFiles(["no-such-package"], HERE), /no-such-package/);
});
