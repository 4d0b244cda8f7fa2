import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pathKey, routeKey } from "./route-key.ts";

describe("what a path means, however it is spelled:", () => {
  for (const [key, ...spellings] of [
    ["/admin", "/%61dmin", "//admin", "/%61%64min", "/%2Fadmin"],
    ["/%C3%BCn", "/%c3%bcn", "/%C3%BC%6E"],
    ["/a%27%28b%29%3B%40", "/a'(b);@", "/a%27(b)%3b%40"],
    ["/a~b-c_d.e", "/a%7eb%2dc%5fd%2Ee"],
    ["/%FF%20%25", "/%ff%20%25"],
  ] as const)
    test(key, () =>
      assert.deepEqual(
        [key, ...spellings].map(pathKey),
        [key, ...spellings].map(() => key),
      ),
    );

  test("a route of a prefix is found by whole parts, with or without a slash at its end", () => {
    const found = ["/", "/a", "/a/", "/a%2F"].map((path) => routeKey({ host: "h", path, pathType: "prefix" }));
    assert.deepEqual(found, ["h/", "h/a/", "h/a/", "h/a/"]);
    assert.equal(routeKey({ host: "h", path: "/a", pathType: "exact" }), "h/a");
  });
});
