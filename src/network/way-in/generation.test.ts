import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { RouteEntry } from "../../model/network.ts";
import { culprits, generationOf } from "./generation.ts";
import { planWayIn } from "./plan.ts";
import { assignSlots } from "./slots.ts";

const PLACES = { folder: "/var/lib/styrmann/network/way-in", address: "0.0.0.0", httpPort: 80, httpsPort: 443 };
const SLOTS = assignSlots([], [{ address: "10.42.0.5", port: 8080, state: "on" }]);

function route(more: Partial<RouteEntry>): RouteEntry {
  const base = {
    kind: "route",
    host: "example.org",
    path: "/",
    pathType: "prefix",
    service: "default/web",
    port: 80,
  } as const;
  return { ...base, id: JSON.stringify(more), source: "Ingress default/web", ...more };
}

function generated(routes: readonly RouteEntry[], slots = SLOTS) {
  const plan = planWayIn(routes);
  const rest = { certificates: "/default.pem\n", challenges: new Map<string, string>() };
  return { plan, ...generationOf({ places: PLACES, plan, slots: () => slots, ...rest }) };
}

/** Words that a line of ours may begin with. */
const LINE =
  /^(?:|# .*|global|defaults|frontend way-in|backend (?:to-\S+|held-by-namespace)|userlist users-\S+| {4}(?:log|stats|hard-stop-after|noreuseport|mworker-max-reloads|fd-hard-limit|ssl-default-bind-\w+|tune\.http\.maxhdr|mode|option|retries|timeout|http-error|bind|http-request|http-response|http-check|use_backend|balance|hash-type|retry-on|cookie|dynamic-cookie-key|default-server|stick-table|server s\d+ \d+\.\d+\.\d+\.\d+:\d+(?: disabled)?|user \S+ password \S+)(?: .*)?)$/;

const hostile = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    "\n",
    "\r\nbackend x",
    " # ",
    "%[src]",
    '"',
    "'",
    "\\",
    "${HOME}",
    "\u0000",
    "a b",
    "/a\tb",
    "/%0a",
    "*.*",
  ),
  fc.constantFrom("example.org", "*.example.org", "/shop", "/a$b'c"),
);
const options = fc.record(
  {
    rewritePath: hostile,
    stripPath: hostile,
    healthPath: hostile,
    balance: hostile as fc.Arbitrary<"source">,
    auth: fc.record({ realm: hostile, users: fc.array(hostile, { maxLength: 2 }) }),
    timeoutServerMs: fc.double(),
    maxConnections: fc.integer(),
    sticky: fc.constant(true as const),
  },
  { requiredKeys: [] },
);
const routes = fc.array(
  fc.record({
    host: hostile,
    path: hostile,
    pathType: fc.constantFrom("prefix" as const, "exact" as const),
    service: hostile,
    port: fc.oneof(hostile, fc.integer()),
    options,
    source: hostile,
  }),
  { maxLength: 6 },
);

describe("the way in: configuration:", () => {
  test("whatever users write, each line is one of ours, and each line of a map is a key and a backend", () => {
    fc.assert(
      fc.property(routes, (all) => {
        const { plan, config, files } = generated(all.map(route));
        for (const line of config.split("\n")) assert.match(line, LINE);
        for (const name of ["exact.map", "prefix.map"])
          for (const line of (files.get(name) ?? "").split("\n").filter((each) => each !== ""))
            assert.match(line, /^[^\s#]\S* to-[A-Za-z0-9_.-]+$/);
        const asked = new Set([...plan.exact.values(), ...plan.prefix.values()]);
        assert.deepEqual([...plan.backends.keys()].sort(), [...asked].sort());
      }),
      { numRuns: 500 },
    );
  });

  test("is another one when routes change, and the same when only endpoints do", () => {
    const first = generated([route({})]);
    const moved = assignSlots(SLOTS, [{ address: "10.42.1.9", port: 8080, state: "on" }]);
    assert.equal(generated([route({})], moved).id, first.id);
    assert.notEqual(generated([route({})], moved).config, first.config);
    assert.notEqual(generated([route({}), route({ path: "/a" })]).id, first.id);
    assert.notEqual(generated([route({ options: { sticky: true } })]).id, first.id);
    assert.notEqual(generated([route({})], [...SLOTS, undefined]).id, first.id);
  });

  test("what HAProxy names by the number of a line is a backend, or nobody's", () => {
    const { config, plan } = generated([route({}), route({ path: "/a", options: { balance: "source" } })]);
    const lines = config.split("\n");
    const at = lines.findIndex((line) => line.includes("balance source")) + 1;
    const found = culprits(`[ALERT] (1) : config : parsing [/x/haproxy.cfg:${at}] : oops`, config, plan.backends);
    assert.deepEqual(
      found.map(({ options }) => options.balance),
      ["source"],
    );
    const bind = lines.findIndex((line) => line.includes(" bind ")) + 1;
    assert.deepEqual(culprits(`parsing [/x/haproxy.cfg:${bind}] : oops`, config, plan.backends), []);
  });

  test("routes that differ in host and path only share a backend", () => {
    const { plan } = generated([route({}), route({ host: "b.example.org" }), route({ path: "/a" })]);
    assert.equal(plan.backends.size, 1);
    assert.deepEqual([...plan.prefix.keys()].sort(), ["b.example.org/", "example.org/", "example.org/a/"]);
  });
});
