import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ingressOptions } from "./ingress-options.ts";

function made(annotations: Readonly<Record<string, string>>) {
  const named = Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]);
  return ingressOptions(Object.fromEntries(named));
}

describe("annotations of an Ingress:", () => {
  test("those that are done", () => {
    assert.deepEqual(
      made({ affinity: "cookie", "backend-protocol": "GRPC", "rewrite-target": "/", "ssl-redirect": "false" }),
      { options: { sticky: true, backendProtocol: "h2c", rewritePath: "/" } },
    );
    assert.deepEqual(made({ "backend-protocol": "HTTP" }), {});
  });

  test("those that are not, and values that are not, are said with the route", () => {
    const { options, remarks } = made({
      "proxy-body-size": "8m",
      "rewrite-target": "/$2",
      affinity: "ip",
      "backend-protocol": "FCGI",
    });
    assert.equal(options, undefined);
    assert.deepEqual(remarks, [
      "affinity: ip is not done",
      "backend-protocol: FCGI is not done",
      "proxy-body-size is not done",
      "rewrite-target: /$2 is not done",
    ]);
    assert.deepEqual(ingressOptions({ "example.org/mine": "x" }), {});
  });
});
