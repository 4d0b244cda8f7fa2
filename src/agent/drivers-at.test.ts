import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriverName } from "../model/pod.ts";
import { driversAtMs } from "./drivers-at.ts";

test("the engine and the keeper are told apart; of what the keeper runs, the longest silence counts", () => {
  const views = (...all: readonly (readonly [DriverName, number | undefined])[]) =>
    driversAtMs(new Map(all.map(([name, answeredAtMs]) => [name, { answeredAtMs }])));
  assert.deepEqual(views(["docker", 30], ["process", 10], ["unit", 20]), { engineAtMs: 30, keeperAtMs: 10 });
  assert.deepEqual(views(["docker", undefined], ["process", 10]), { keeperAtMs: 10 }, "an engine that never was there");
});
