import assert from "node:assert/strict";
import { test } from "node:test";
import { troubleOf } from "./trouble.ts";

test("a full disk is said to be the host's, with the path where it is known", () => {
  const error = Object.assign(new Error("ENOSPC: no space left on device, write"), { path: "/var/lib/styrmann/x" });
  assert.equal(
    troubleOf(error, undefined, "FailedMount", 0).message,
    "the disk of the host that it was given to is full: ENOSPC: no space left on device, write /var/lib/styrmann/x",
  );
  assert.equal(troubleOf(new Error("no such image"), undefined, "FailedMount", 0).message, "no such image");
});
