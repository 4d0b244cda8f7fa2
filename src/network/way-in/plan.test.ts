import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RouteEntry, RouteTls } from "../../model/network.ts";
import { mapsOf } from "./generation.ts";
import { planWayIn } from "./plan.ts";

function route(
  id: number,
  namespace: string,
  path: string,
  tls?: RouteTls,
  more: Partial<RouteEntry> = {},
): RouteEntry {
  return {
    ...{ kind: "route", id: `${id}`, host: "bank.example", path, pathType: "prefix", port: 80 },
    ...{ service: `${namespace}/web`, source: `Ingress ${namespace}/web`, since: `2026-01-01T00:00:0${id}Z` },
    ...(tls ? { tls } : {}),
    ...more,
  };
}

const secret = (name: string) => ({ secret: name, version: "1" });
const share = { sharesHostWith: ["shop"] };

describe("which certificate a host shows:", () => {
  const shown = (...routes: RouteEntry[]) => planWayIn(routes).certificates.get("bank.example");

  test("that of its oldest route, whatever the paths are", () => {
    const [old, young] = [route(1, "bank", "/z", secret("bank/old")), route(2, "bank", "/a", secret("bank/young"))];
    assert.deepEqual(shown(young, old), secret("bank/old"));
  });

  test("never that of a namespace whose host it is not", () => {
    assert.equal(shown(route(1, "bank", "/z"), route(2, "shop", "/a", secret("shop/evil"))), undefined);
  });

  test("that of one who was let in only if its owner has none, not even one on its way", () => {
    const guest = route(2, "shop", "/a", secret("shop/guest"));
    assert.deepEqual(shown(route(1, "bank", "/z", { acme: true }, share), guest), { acme: true });
    assert.deepEqual(shown(route(1, "bank", "/z", undefined, share), guest), secret("shop/guest"));
  });
});

describe("backends:", () => {
  const site = (count: number, more: Partial<RouteEntry>) =>
    planWayIn(
      Array.from({ length: count }, (_, at) =>
        route(at % 10, "bank", `/p/${at}`, undefined, { id: `r${at}`, ...more }),
      ),
    );

  test("paths of a host in place of which another is put are one, and how much is cut off is of the maps", () => {
    const plan = site(5000, { options: { rewritePath: "/" } });
    assert.deepEqual([plan.backends.size, plan.prefix.size], [1, 5000]);
    const [name] = plan.backends.keys();
    const cuts = mapsOf(plan, new Map()).get("cuts");
    assert.equal(cuts?.size, 5000);
    assert.equal(cuts?.get(`${name}/p/10/`), "5");
  });

  test("of several hosts, and of paths that match exactly, each have their own: what matched is told by the path alone", () => {
    const options = { rewritePath: "/" };
    const routes = [
      route(1, "bank", "/a", undefined, { options }),
      route(2, "bank", "/a/b", undefined, { options, host: "b.example" }),
      route(3, "bank", "/a/c", undefined, { options, pathType: "exact" }),
    ];
    assert.equal(planWayIn(routes).backends.size, 3);
  });

  test("those that are written otherwise than they are found by have their own, too", () => {
    const plan = planWayIn(
      ["/a:b", "/c"].map((path, at) => route(at, "bank", path, undefined, { options: { rewritePath: "/" } })),
    );
    assert.equal(plan.backends.size, 2);
    assert.equal(mapsOf(plan, new Map()).get("cuts")?.size, 1);
  });
});
