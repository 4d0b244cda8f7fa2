import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteEntry } from "../../model/network.ts";
import { generationOf, type KnownForms } from "./generation.ts";
import { Planner } from "./planner.ts";

function route(path: string, service: string, more: Partial<RouteEntry> = {}): RouteEntry {
  const rest = { kind: "route", id: path, host: "a.example", pathType: "prefix", port: 80 } as const;
  return { ...rest, path, service: `a/${service}`, source: `Ingress a/${service}`, ...more };
}

test("routes that are as they were are not planned again, and of others what is as it was is not made again", () => {
  const planner = new Planner();
  const routes = [route("/a", "one"), route("/b", "two")];
  const plan = planner.plan(routes);
  assert.equal(planner.plan([...routes]), plan);

  const next = planner.plan([
    route("/a", "one"),
    route("/b", "two", { options: { sticky: true } }),
    route("/c", "one"),
  ]);
  const [one, two] = [...plan.backends.values()];
  assert.ok(one && two);
  assert.equal(next.backends.get(one.name), one);
  assert.equal(next.backends.has(two.name), false);
  assert.equal(next.prefix.get("a.example/c/"), one.name);
});

test("a form that is known is not rendered again, as long as there is as much room", () => {
  const plan = new Planner().plan([route("/a", "one")]);
  const [backend] = plan.backends.values();
  assert.ok(backend);
  const known: KnownForms = new WeakMap([[backend, { room: 2, form: "as before" }]]);
  const formOf = (room: number) => {
    const places = { folder: "/way-in", address: "0.0.0.0", httpPort: 80, httpsPort: 443 };
    const slots = () => Array.from({ length: room }, () => undefined);
    const rest = { certificates: "", challenges: new Map<string, string>() };
    return generationOf({ places, plan, slots, known, ...rest }).forms.get(backend.name);
  };
  assert.equal(formOf(2), "as before");
  assert.notEqual(formOf(4), "as before");
});
