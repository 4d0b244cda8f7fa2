import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ObservedRun } from "../drivers/driver.ts";
import type { Pod } from "../model/pod.ts";
import { observe, withoutAttempts } from "./observe.ts";
import { type ContainerSeen, NEW_CONTAINER } from "./seen.ts";

const pod = { spec: { containers: [] } } as unknown as Pod;
const now = { monoMs: 0, wallMs: 0 };

function run(attempt: number, state: ObservedRun["state"], more: Partial<ObservedRun> = {}): ObservedRun {
  return { ref: { podUid: "u", container: "c", attempt }, driver: "docker", id: `${attempt}`, state, ...more };
}

function after(...runs: readonly ObservedRun[]): ContainerSeen {
  return runs.reduce((seen, each) => observe(pod, seen, each, now), NEW_CONTAINER);
}

describe("what drivers report", () => {
  test("old news about a run changes nothing: it has ended", () => {
    const ended = after(run(0, "running"), run(0, "exited", { exitCode: 3 }));
    assert.equal(observe(pod, ended, run(0, "running"), now), ended);
    assert.equal(observe(pod, ended, run(0, "created"), now), ended);
    assert.equal(ended.crashes, 1);
  });

  test("how it ended may come after that it ended, and is not counted twice", () => {
    const ended = after(run(0, "running"), run(0, "exited"), run(0, "exited", { exitCode: 3 }));
    assert.equal(ended.run?.exitCode, 3);
    assert.equal(ended.crashes, 1);
  });

  test("runs found in any order: the newest is the present one, one is kept before it, the others go", () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const seen = after(
        ...order.map((attempt) => run(attempt, attempt === 3 ? "running" : "exited", { exitCode: 1 })),
      );
      assert.equal(seen.attempt, 3, `${order}`);
      assert.equal(seen.run?.state, "running", `${order}`);
      assert.equal(seen.previous?.ref.attempt, 2, `${order}`);
      assert.deepEqual([...seen.old].sort(), [0, 1], `${order}`);
    }
  });

  test("an older run that still runs is a stray until it has ended", () => {
    const stray = after(run(1, "running"), run(0, "running"));
    assert.deepEqual(stray.strays, [0]);
    assert.deepEqual(observe(pod, stray, run(0, "exited", { exitCode: 1 }), now).strays, []);
    assert.deepEqual(withoutAttempts(stray, [0]).strays, []);
  });

  test("a unit may go back from running to loaded, a container may not", () => {
    assert.equal(after(run(0, "running"), run(0, "created")).run?.state, "running");
    const unit = { driver: "unit" as const };
    assert.equal(after(run(0, "running", unit), run(0, "created", unit)).run?.state, "created");
  });

  test("what runs was not interrupted, whatever the boot id says", () => {
    assert.equal(observe(pod, { ...NEW_CONTAINER, interrupted: true }, run(0, "running"), now).interrupted, undefined);
  });
});
