import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Ingress } from "../ingress.ts";
import { ingressRoutes } from "./ingress-routes.ts";
import { routeKey } from "./route-key.ts";
import { settleRoutes } from "./settle-routes.ts";

function routes(path: string, said: Readonly<Record<string, string>>) {
  const annotations = Object.entries(said).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]);
  const backend = { service: { name: "web", port: { number: 80 } } };
  const http = { paths: [{ path, pathType: "ImplementationSpecific", backend }] };
  const metadata = {
    name: "i",
    namespace: "shop",
    creationTimestamp: "",
    annotations: Object.fromEntries(annotations),
  };
  return ingressRoutes({ metadata, spec: { rules: [{ host: "h", http }] } } as unknown as Ingress, () => undefined);
}

const REGEX = { "use-regex": "true" };
const ONLY = { "whitelist-source-range": "10.0.0.0/8" };

describe("paths of an Ingress that are patterns:", () => {
  for (const [path, target, below, put] of [
    ["/api(/|$)(.*)", "/$2", "/api", "/"],
    ["/api(/|$)(.*)", "/v1/$2", "/api", "/v1"],
    ["/api/(.*)", "/$1", "/api", "/"],
    ["/a/b/?(.*)", "/b/$1", "/a/b", "/b"],
    ["/api(/.*)?", "$1", "/api", "/"],
    ["/(.*)", "/$1", "/", "/"],
    ["/api(/|$)(.*)", undefined, "/api", undefined],
    ["/api/.*", undefined, "/api", undefined],
  ] as const)
    test(`all below a path: ${path} to ${target}`, () => {
      const { routes: found, problems } = routes(path, target === undefined ? REGEX : { "rewrite-target": target });
      assert.deepEqual(
        found.map((each) => [each.path, each.pathType, each.options?.rewritePath, each.remarks]),
        [[below, "prefix", put, undefined]],
      );
      assert.deepEqual(problems, []);
    });

  test("what keeps others out holds there", () => {
    const [route] = routes("/admin(/|$)(.*)", { "rewrite-target": "/$2", ...ONLY }).routes;
    assert.deepEqual([route?.path, route?.options], ["/admin", { allowFrom: ["10.0.0.0/8"], rewritePath: "/" }]);
  });

  for (const [path, key] of [
    ["/admin.*", "h/admin"],
    ["/adm[i]n", "h/adm"],
    ["/admins?/x", "h/admin"],
    ["/admin.+", "h/admin"],
    ["/(a|b)", "h/"],
    ["/a|/b", "h/"],
  ] as const)
    test(`another one that keeps somebody out is closed as far as it is known how it begins: ${path}`, () => {
      const { closed, refused } = settleRoutes(routes(path, { ...REGEX, ...ONLY }).routes);
      assert.deepEqual(closed.map(routeKey), [key]);
      assert.ok(refused[0]?.words.startsWith(`not served: without the pattern ${path}`), refused[0]?.words);
    });

  test("signs are letters where nothing says that they are more", () => {
    assert.deepEqual(
      routes("/a(b)*", {}).routes.map((each) => [each.path, each.matchesLetters]),
      [["/a(b)*", undefined]],
    );
    assert.match(routes("/a|b", REGEX).problems.join(), /no path/);
  });
});
