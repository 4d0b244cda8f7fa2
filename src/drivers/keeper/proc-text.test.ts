import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isAlive, parseStat, readStat } from "./proc.ts";
import { hardLimit } from "./rlimits.ts";
import { lookUpGroup, lookUpUser } from "./users.ts";

describe("what the kernel and the system say", () => {
  test("stat: a name with spaces and parentheses does not shift the fields", () => {
    const fields = Array.from({ length: 50 }, (_, n) => n + 4).join(" ");
    assert.deepEqual(parseStat(`12 (a) b (c)) S ${fields}`), { state: "S", startTicks: 22 });
  });

  test("a process is told from a later one with its pid by when it started", () => {
    const ticks = readStat(process.pid)?.startTicks ?? 0;
    assert.deepEqual([isAlive(process.pid, ticks), isAlive(process.pid, ticks + 1)], [true, false]);
    assert.equal(readStat(2 ** 22 + 1), undefined);
  });

  test("limits: the hard value of each name; unlimited and unknown bound nothing", () => {
    const text =
      "Limit  Soft  Hard  Units\nMax open files            1024                 4096                 files\nMax core file size        0                    unlimited            bytes\n";
    assert.equal(hardLimit(text, "nofile"), 4096);
    assert.equal(hardLimit(text, "core"), Number.POSITIVE_INFINITY);
    assert.equal(hardLimit(text, "nproc"), Number.POSITIVE_INFINITY);
  });

  test("users: by name, by number, a number without entry, and none", () => {
    assert.deepEqual([lookUpUser("root")?.uid, lookUpUser("0")?.name], [0, "root"]);
    assert.deepEqual([lookUpUser("4242424")?.uid, lookUpUser("4242424")?.name], [4242424, undefined]);
    for (const name of ["no-such-user", "", "4294967295", "-1", "a b", "--help"])
      assert.equal(lookUpUser(name), undefined);
    assert.deepEqual([lookUpGroup("root"), lookUpGroup("77"), lookUpGroup("no-such")], [0, 77, undefined]);
  });
});
