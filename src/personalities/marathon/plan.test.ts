import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError } from "../../model/errors.ts";
import type { AppBody } from "./app-definition.ts";
import { type PlannedChange, planSteps } from "./plan.ts";
import { definitionOf } from "./test-app.ts";

function app(id: string, more: object = {}) {
  return { ...definitionOf({ cmd: "ls", ...more }), id };
}

function plan(changes: readonly Partial<PlannedChange>[], others: readonly AppBody[] = []) {
  const all = changes.map((change): PlannedChange => {
    const id = change.after?.id ?? change.before?.id ?? "";
    return { id, before: undefined, after: undefined, restart: false, ...change };
  });
  const wanted = new Map<string, AppBody>(others.map((other) => [other.id, other]));
  for (const { id, after } of all) if (after) wanted.set(id, after);
  return planSteps(all, wanted).map(({ actions }) => actions.map(({ action, app }) => `${action} ${app}`));
}

describe("the steps of a deployment", () => {
  test("a new app is started and then scaled", () => {
    assert.deepEqual(plan([{ after: app("/a") }]), [["StartApplication /a"], ["ScaleApplication /a"]]);
  });

  test("what goes is stopped first", () => {
    assert.deepEqual(plan([{ after: app("/a") }, { before: app("/b") }])[0], ["StopApplication /b"]);
  });

  test("a change of instances scales, any other restarts, none is nothing", () => {
    assert.deepEqual(plan([{ before: app("/a"), after: app("/a", { instances: 3 }) }]), [["ScaleApplication /a"]]);
    assert.deepEqual(plan([{ before: app("/a"), after: app("/a", { mem: 7 }) }]), [["RestartApplication /a"]]);
    assert.deepEqual(plan([{ before: app("/a"), after: app("/a", { mem: 7, instances: 0 }) }]), [
      ["ScaleApplication /a"],
    ]);
    assert.deepEqual(plan([{ before: app("/a"), after: app("/a") }]), []);
    assert.deepEqual(plan([{ before: app("/a"), after: app("/a"), restart: true }]), [["RestartApplication /a"]]);
  });

  test("dependencies come first, apps of one layer together", () => {
    const changes = [
      { after: app("/web", { dependencies: ["/db", "/mid"] }) },
      { after: app("/db/one") },
      { after: app("/db/two") },
      { after: app("/mid", { dependencies: ["/db/one"] }) },
    ];
    assert.deepEqual(plan(changes).slice(1), [
      ["ScaleApplication /db/one", "ScaleApplication /db/two"],
      ["ScaleApplication /mid"],
      ["ScaleApplication /web"],
    ]);
  });

  test("circles are refused", () => {
    const circle = [{ after: app("/a", { dependencies: ["/b"] }) }, { after: app("/b", { dependencies: ["/a"] }) }];
    assert.throws(
      () => plan(circle),
      (error) => error instanceof ApiError && error.causes[0]?.message === "Dependency graph has cyclic dependencies.",
    );
  });
});
