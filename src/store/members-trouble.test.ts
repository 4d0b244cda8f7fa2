import assert from "node:assert/strict";
import { test } from "node:test";
import { membersTrouble } from "./members-trouble.ts";

test("members of a store that do not answer are named with the reason; of those that do nothing is said", () => {
  const good = { url: "http://a:1" };
  assert.equal(membersTrouble([good, good]), undefined);
  assert.equal(membersTrouble([]), undefined);
  assert.equal(
    membersTrouble([good, { url: "http://b:1", problem: "connection refused" }]),
    "1 of 2 members of etcd answers; http://b:1: connection refused",
  );
});
