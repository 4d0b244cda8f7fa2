import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { sameJson } from "../../../store/transaction.ts";
import type { JsonObject } from "../json.ts";
import { mergePatch } from "./merge-patch.ts";
import { strategicMerge } from "./strategic-merge.ts";

const pod = (spec: object): JsonObject => ({ spec }) as JsonObject;
const containers = (...names: string[]) => names.map((name) => ({ name, image: `${name}:1` }));

describe("strategic merge patch", () => {
  const rows: readonly { why: string; target: object; patch: object; gives: object; kind?: string }[] = [
    {
      why: "lists with a merge key merge by it and append what is new",
      target: pod({ containers: containers("a", "b") }),
      patch: { spec: { containers: [{ name: "b", image: "b:2" }, { name: "c" }] } },
      gives: pod({ containers: [{ name: "a", image: "a:1" }, { name: "b", image: "b:2" }, { name: "c" }] }),
    },
    {
      why: "other lists are replaced",
      target: pod({ tolerations: [{ key: "a" }, { key: "b" }] }),
      patch: { spec: { tolerations: [{ key: "c" }] } },
      gives: pod({ tolerations: [{ key: "c" }] }),
    },
    {
      why: "null removes a field",
      target: { metadata: { labels: { a: "1", b: "2" } } },
      patch: { metadata: { labels: { a: null } } },
      gives: { metadata: { labels: { b: "2" } } },
    },
    {
      why: "$patch: delete removes an item",
      target: pod({ containers: containers("a", "b") }),
      patch: { spec: { containers: [{ $patch: "delete", name: "a" }] } },
      gives: pod({ containers: containers("b") }),
    },
    {
      why: "$patch: replace in a list replaces all of it",
      target: pod({ containers: containers("a", "b") }),
      patch: { spec: { containers: [{ $patch: "replace" }, { name: "z" }] } },
      gives: pod({ containers: [{ name: "z" }] }),
    },
    {
      why: "$patch: replace in an object replaces it",
      target: { spec: { template: { spec: { nodeName: "n", hostname: "h" } } } },
      patch: { spec: { template: { $patch: "replace", spec: { hostname: "x" } } } },
      gives: { spec: { template: { spec: { hostname: "x" } } } },
      kind: "ReplicationController",
    },
    {
      why: "$patch: delete in an object empties it",
      target: pod({ securityContext: { runAsUser: 1 } }),
      patch: { spec: { securityContext: { $patch: "delete" } } },
      gives: pod({ securityContext: {} }),
    },
    {
      why: "$setElementOrder gives the order, and the server's own items keep their places",
      target: pod({ containers: containers("a", "b", "sidecar", "c") }),
      patch: {
        spec: {
          "$setElementOrder/containers": [{ name: "c" }, { name: "b" }, { name: "a" }],
          containers: [{ name: "c", image: "c:2" }],
        },
      },
      gives: pod({
        containers: [{ name: "sidecar", image: "sidecar:1" }, { name: "c", image: "c:2" }, ...containers("b", "a")],
      }),
    },
    {
      why: "finalizers merge as a set, and $deleteFromPrimitiveList takes out",
      target: { metadata: { finalizers: ["a", "b"] } },
      patch: { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"], finalizers: ["b", "c"] } },
      gives: { metadata: { finalizers: ["b", "c"] } },
    },
    {
      why: "$retainKeys makes a volume change its source",
      target: pod({ volumes: [{ name: "v", emptyDir: {} }] }),
      patch: { spec: { volumes: [{ $retainKeys: ["name", "hostPath"], name: "v", hostPath: { path: "/x" } }] } },
      gives: pod({ volumes: [{ name: "v", hostPath: { path: "/x" } }] }),
    },
    {
      why: "conditions of a status merge by type",
      target: { status: { conditions: [{ type: "Ready", status: "False" }] } },
      patch: { status: { conditions: [{ type: "Ready", status: "True" }] } },
      gives: { status: { conditions: [{ type: "Ready", status: "True" }] } },
    },
  ];
  for (const { why, target, patch, gives, kind = "Pod" } of rows) {
    test(why, () => assert.deepEqual(strategicMerge(target as JsonObject, patch as JsonObject, kind), gives));
  }

  test("an item without its merge key is refused", () => {
    const patch = { spec: { containers: [{ image: "x" }] } } as JsonObject;
    assert.throws(
      () => strategicMerge(pod({ containers: [] }), patch, "Pod"),
      /does not contain declared merge key: name/,
    );
  });

  const name = fc.constantFrom("a", "b", "c", "d");
  const container = fc.record({ name, image: fc.string({ maxLength: 4 }) }, { requiredKeys: ["name"] });
  const anyPod = fc.record({
    metadata: fc.record({ labels: fc.dictionary(name, fc.string({ maxLength: 3 })) }),
    spec: fc.record({ containers: fc.uniqueArray(container, { selector: (item) => item.name }) }),
  });

  test("an empty patch and an object's own content change nothing", () => {
    fc.assert(
      fc.property(anyPod, (object) => {
        assert.ok(sameJson(strategicMerge(object, {}, "Pod"), object));
        assert.ok(sameJson(strategicMerge(object, object, "Pod"), object));
      }),
    );
  });

  test("applying a patch twice is applying it once", () => {
    fc.assert(
      fc.property(anyPod, anyPod, (object, patch) => {
        const once = strategicMerge(object, patch, "Pod");
        assert.ok(sameJson(strategicMerge(once, patch, "Pod"), once));
      }),
    );
  });

  test("no patch of any JSON changes its target in place, or the prototype of anything", () => {
    fc.assert(
      fc.property(
        anyPod,
        fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), fc.jsonValue()),
        (object, patch) => {
          const before = JSON.stringify(object);
          try {
            strategicMerge(object, patch, "Pod");
          } catch (error) {
            assert.equal((error as Error).name, "ApiError");
          }
          assert.equal(JSON.stringify(object), before);
          assert.equal(({} as { polluted?: unknown }).polluted, undefined);
        },
      ),
    );
  });
});

describe("JSON merge patch", () => {
  test("the examples of RFC 7396", () => {
    const rows: readonly (readonly [unknown, unknown, unknown])[] = [
      [{ a: "b" }, { a: "c" }, { a: "c" }],
      [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
      [{ a: "b" }, { a: null }, {}],
      [{ a: ["b"] }, { a: "c" }, { a: "c" }],
      [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
      [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [[1, 2], { a: "b", c: null }, { a: "b" }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ];
    for (const [target, patch, result] of rows) assert.deepEqual(mergePatch(target, patch), result);
  });
});
