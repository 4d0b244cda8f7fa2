import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Workload } from "./workload.ts";
import { fullName, resolveWorkload } from "./workload-name.ts";

function workload(dialect: string, kind: string, name: string, more: Partial<Workload> = {}): Workload {
  const rest = { desired: 1, ready: 1, status: "running", nodes: [], since: "", what: "", urls: [], pods: [] } as const;
  return { dialect, kind, name, ...rest, canScale: true, object: { kind, key: name }, ...more };
}

const pod = { key: "default/web-x1", uid: "1", status: "running", ready: true, containers: [], restarts: 0 } as const;
const ALL = [
  workload("fleet", "Unit", "hello@1.service"),
  workload("fleet", "Unit", "nginx-app.service"),
  workload("fleet", "Unit", "web.service"),
  workload("kubernetes", "ReplicationController", "web", {
    namespace: "default",
    pods: [{ ...pod, since: "", urls: [] }],
  }),
  workload("kubernetes", "Pod", "pair", { namespace: "shop" }),
  workload("marathon", "App", "/shop/cart", {
    pods: [{ ...pod, key: "marathon/p", since: "", urls: [], instance: "t.1" }],
  }),
  workload("marathon", "App", "/solo"),
];

describe("names of workloads:", () => {
  const found: readonly (readonly [string, string])[] = [
    ["hello@1.service", "fleet/hello@1.service"],
    ["hello", "fleet/hello@1.service"],
    ["nginx-app", "fleet/nginx-app.service"],
    ["/shop/cart", "marathon/shop/cart"],
    ["shop/cart", "marathon/shop/cart"],
    ["cart", "marathon/shop/cart"],
    ["marathon/shop/cart", "marathon/shop/cart"],
    ["rc/web", "kubernetes/web"],
    ["kubernetes/web", "kubernetes/web"],
    ["web.service", "fleet/web.service"],
    ["fleet/web", "fleet/web.service"],
    ["pair", "kubernetes/shop/pair"],
    ["shop/pair", "kubernetes/shop/pair"],
    ["so", "marathon/solo"],
  ];
  for (const [ref, name] of found) {
    test(`${ref} is ${name}`, () => {
      const resolution = resolveWorkload(ref, ALL);
      assert.ok("found" in resolution, JSON.stringify(resolution));
      assert.equal(fullName(resolution.found), name);
    });
  }

  test("a name of two is answered with both full names", () => {
    assert.deepEqual(resolveWorkload("web", ALL), { ambiguous: ["fleet/web.service", "kubernetes/web"] });
  });

  test("a beginning of several is answered with all of them", () => {
    assert.deepEqual(resolveWorkload("shop", ALL), { ambiguous: ["kubernetes/shop/pair", "marathon/shop/cart"] });
  });

  test("a copy's name means that copy", () => {
    for (const ref of ["web-x1", "default/web-x1"]) {
      const resolution = resolveWorkload(ref, ALL);
      assert.equal("podKey" in resolution && resolution.podKey, "default/web-x1");
    }
    const task = resolveWorkload("t.1", ALL);
    assert.equal("podKey" in task && task.podKey, "marathon/p");
  });

  test("a misspelt name is answered with what is close", () => {
    assert.deepEqual(resolveWorkload("nginx-apq", ALL), { unknown: ["nginx-app.service"] });
    assert.deepEqual(resolveWorkload("zzz", ALL), { unknown: [] });
    assert.deepEqual(resolveWorkload("", ALL), { unknown: [] });
  });
});
