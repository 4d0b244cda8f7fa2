import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Ingress } from "../ingress.ts";
import type { RouteEntry } from "../network.ts";
import { settleContest } from "./contest.ts";
import { SHARE_HOST } from "./host-owners.ts";
import { hostsSince, ingressRoutes } from "./ingress-routes.ts";

let at = 0;

function route(host: string, namespace: string, more: Partial<RouteEntry> = {}): RouteEntry {
  const since = `2026-01-01T00:00:${String(++at % 60).padStart(2, "0")}Z`;
  return {
    ...{ kind: "route", id: `${namespace} ${at}`, host, path: "/", pathType: "prefix", since },
    ...{ service: `${namespace}/web`, port: 80, source: `Ingress ${namespace}/web` },
    ...more,
  };
}

function outcome(...routes: RouteEntry[]) {
  at = 0;
  const { routes: served, lost } = settleContest(routes.toReversed());
  const place = ({ host, path, service }: RouteEntry) => `${host}${path} ${service}`;
  return { served: served.map(place).sort(), lost: lost.map((each) => `${place(each.route)}: ${each.words}`) };
}

describe("whose a host is:", () => {
  test("of the namespace that had it first: other paths of it are no one else's, and why is said", () => {
    const { served, lost } = outcome(
      route("bank.example", "bank"),
      route("bank.example", "shop", { path: "/login" }),
      route("bank.example", "bank", { path: "/new" }),
    );
    assert.deepEqual(served, ["bank.example/ bank/web", "bank.example/new bank/web"]);
    assert.deepEqual(lost, [
      "bank.example/login shop/web: bank.example is bank's (Ingress bank/web was there first), who can share it: styrmann.dev/share-host-with=shop",
    ]);
  });

  test("what one source says twice is no contest, and nothing is lost by it", () => {
    const { served, lost } = outcome(route("bank.example", "bank"), route("bank.example", "bank"));
    assert.deepEqual([served, lost], [["bank.example/ bank/web"], []]);
  });

  test("also while the route that makes it one's cannot be served", () => {
    at = 0;
    const [theirs, mine] = [route("bank.example", "bank"), route("bank.example", "shop")];
    const { routes, lost } = settleContest([mine], [theirs, { ...theirs, id: "x", host: "not a host" }]);
    assert.deepEqual([routes, lost.map((each) => each.route.id)], [[], [mine.id]]);
  });

  test("its owner lets others in, but never to the proofs for certificates", () => {
    const share = { sharesHostWith: ["shop"] };
    const { served, lost } = outcome(
      route("bank.example", "bank", share),
      route("bank.example", "shop", { path: "/login" }),
      route("bank.example", "shop", { path: "/.well-known/acme-challenge" }),
      route("bank.example", "other", { path: "/x" }),
    );
    assert.deepEqual(served, ["bank.example/ bank/web", "bank.example/login shop/web"]);
    assert.match(lost.join(), /acme-challenge shop\/web: proofs of bank\.example for certificates are bank's alone/);
    assert.match(lost.join(), /\/x other\/web: bank\.example is bank's/);
  });

  test("a wildcard whose route was let in takes no name below from who asks for that later", () => {
    const { served, lost } = outcome(
      route("*.bank.example", "shop", { isGranted: true }),
      route("www.bank.example", "bank"),
      route("www.bank.example", "bank", { path: "/new" }),
    );
    assert.deepEqual(lost, []);
    assert.deepEqual(served, [
      "*.bank.example/ shop/web",
      "www.bank.example/ bank/web",
      "www.bank.example/new bank/web",
    ]);
  });

  test("who was let in by somebody of the whole cluster owns nothing, however old", () => {
    const { served } = outcome(
      route("bank.example", "shop", { path: "/login", isGranted: true }),
      route("bank.example", "bank"),
    );
    assert.deepEqual(served, ["bank.example/ bank/web", "bank.example/login shop/web"]);
  });

  test("names below a wildcard are its owner's, but for those that were there before; every host is nobody's", () => {
    const { served, lost } = outcome(
      route("old.bank.example", "shop"),
      route("*.bank.example", "bank"),
      route("new.bank.example", "shop"),
      route("", "bank", { path: "/a" }),
      route("", "shop", { path: "/b" }),
    );
    assert.deepEqual(served, ["*.bank.example/ bank/web", "/a bank/web", "/b shop/web", "old.bank.example/ shop/web"]);
    assert.match(lost.join(), /^new\.bank\.example\/ shop\/web: \*\.bank\.example is bank's/);
  });

  test("an Ingress that asks for a host later than it was made has had it since then, for as long as it asks", () => {
    const backend = { service: { name: "web", port: { number: 80 } } };
    const ingress = (hosts: readonly string[], status: Ingress["status"] = {}) =>
      ({
        metadata: {
          ...{ namespace: "shop", name: "web", creationTimestamp: "2026-01-01T00:00:00Z" },
          annotations: { [SHARE_HOST]: "bank, other" },
        },
        ...{ spec: { rules: hosts.map((host) => ({ host, http: { paths: [{ path: "/", backend }] } })) }, status },
      }) as unknown as Ingress;
    const then = "2026-02-01T00:00:00Z";
    const since = hostsSince(ingress(["a.example", "B.example"]), ingress(["a.example"]), then);
    assert.deepEqual(since, { "b.example": then });
    const later = ingress(["a.example", "b.example"], { hostsSince: since });
    const told = ingressRoutes(later, () => undefined).routes.map((each) => `${each.host} ${each.since}`);
    assert.deepEqual(told, ["a.example 2026-01-01T00:00:00Z", `b.example ${then}`]);
    assert.deepEqual(ingressRoutes(later, () => undefined).routes[0]?.sharesHostWith, ["bank", "other"]);
    assert.deepEqual(hostsSince(later, later, "2026-03-01T00:00:00Z"), since);
    assert.deepEqual(hostsSince(ingress(["a.example"]), later, "2026-03-01T00:00:00Z"), {});
  });
});
