import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RouteEntry, RouteTls } from "../../model/network.ts";
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
