import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RouteOptions } from "../network.ts";
import { optionProblem } from "./option-problem.ts";

const CRYPTED = "$6$salt$hash0123456789";

describe("options of a route, before they are written into HAProxy's configuration:", () => {
  const bad: readonly (readonly [why: string, options: object, words: RegExp])[] = [
    ["a way to balance that there is not", { balance: "uri" }, /there is no way "uri"/],
    ["tcp, which has no host name", { backendProtocol: "tcp" }, /service port/],
    ["a protocol of nobody's", { backendProtocol: "gopher" }, /there is no "gopher"/],
    ["a time of more than a day", { timeoutServerMs: 86_400_001 }, /^timeout/],
    ["a time that is none", { timeoutServerMs: Number.NaN }, /^timeout/],
    ["no connection at all", { maxConnections: 0 }, /^connections/],
    ["more connections than a number of them", { maxConnections: 1_000_001 }, /^connections/],
    ["half a connection", { maxConnections: 1.5 }, /^connections/],
    ["a path put in place that is none", { rewritePath: "a\nb" }, /put in place/],
    ["a path taken off that is none", { stripPath: "x" }, /taken off/],
    ["a path of a check that is none", { healthPath: "/\n    server evil 192.0.2.1" }, /path of the check/],
    ["a range that is none", { allowFrom: ["10.0.0.0/8", "10.0.0.0/33"] }, /"10.0.0.0\/33" is no address/],
    ["a range that ends its line", { denyFrom: ["10.0.0.1\n    server evil"] }, /who may not ask/],
    ["a zone of an address", { allowFrom: ["fe80::1%eth0"] }, /is no address/],
    ["a list of nobody", { allowFrom: [] }, /1 to 500/],
    ["nobody who may come in", { auth: { users: [] } }, /no user may come in/],
    ["a realm that ends its line", { auth: { realm: "a\nb", users: [`bob:${CRYPTED}`] } }, /the realm/],
    ["a realm that opens a format", { auth: { realm: "%[src]", users: [`bob:${CRYPTED}`] } }, /the realm/],
    ["a password in clear", { auth: { users: ["bob:secret"] } }, /user:encrypted-password/],
    ["one user of two who is none", { auth: { users: [`bob:${CRYPTED}`, "x y:z"] } }, /user:encrypted-password/],
  ];
  for (const [why, options, words] of bad)
    test(`refused in words: ${why}`, () => assert.match(optionProblem(options as RouteOptions) ?? "", words));

  test("what can be meant has no problem", () => {
    const options: RouteOptions = {
      ...{ balance: "leastconn", backendProtocol: "h2c", timeoutServerMs: 1, maxConnections: 1, sticky: true },
      ...{ allowFrom: ["192.0.2.1", "2001:db8::/32"], denyFrom: ["10.0.0.0/8"] },
      ...{ rewritePath: "/a", stripPath: "/b", healthPath: "/c?d=e" },
      auth: { realm: "The shop", users: [`bob:${CRYPTED}`] },
    };
    assert.equal(optionProblem({ ...options, healthPath: "/c" }), undefined);
    assert.equal(optionProblem({}), undefined);
  });
});
