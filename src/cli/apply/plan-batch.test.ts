import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Item } from "./item.ts";
import { itemTitle } from "./item.ts";
import { desiredStateOf, orderBatch } from "./plan-batch.ts";

function object(kind: string, name: string, file: string, namespace?: string): Item {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return {
    place: { file, line: 3 },
    warnings: [],
    dialect: "kubernetes",
    object: { apiVersion: "v1", kind, metadata },
  };
}

describe("a batch:", () => {
  test("what others need comes first, and the rest keeps its order", () => {
    const stages = orderBatch([
      object("Pod", "b", "x"),
      object("Service", "a", "x"),
      object("Pod", "a", "x"),
      object("Namespace", "n", "x"),
    ]);
    assert.deepEqual(
      stages.map((stage) => stage.map(itemTitle)),
      [["Namespace n"], ["Service a"], ["Pod b", "Pod a"]],
    );
  });

  test("the same name twice is refused, with both places", () => {
    const twice = [object("Pod", "web", "a.yaml"), object("Pod", "web", "b.yaml", "default")];
    assert.throws(() => orderBatch(twice), {
      name: "InputError",
      message: "b.yaml:3: Pod web was given before, at a.yaml:3",
    });
  });

  test("the same name in two namespaces is two things", () => {
    assert.equal(orderBatch([object("Pod", "web", "a", "x"), object("Pod", "web", "a", "y")]).flat().length, 2);
  });

  test("templates are kept, what a timer starts is only loaded, all else is launched", () => {
    const batch = new Set(["a.service", "a.timer", "b@.service", "c.service"]);
    const states = ["a.service", "a.timer", "b@.service", "c.service"].map((name) => desiredStateOf(name, batch));
    assert.deepEqual(states, ["loaded", "launched", "inactive", "launched"]);
  });
});
