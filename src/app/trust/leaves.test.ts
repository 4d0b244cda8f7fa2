import assert from "node:assert/strict";
import { test } from "node:test";
import { leavesOf } from "./leaves.ts";

test("a server's certificate is good for the name by which pods reach the API, too", () => {
  const names =
    leavesOf({ names: ["api.example.org"] })
      .get("server")
      ?.names.map(({ value }) => value) ?? [];
  for (const name of ["localhost", "127.0.0.1", "api.example.org", "kubernetes.default.svc", "kubernetes.default"])
    assert.ok(names.includes(name), name);
});
