import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Access, type Actor, authorize, mayAsk, namespaceOf, namespacesFor, type Role } from "./actor.ts";

const VERBS: readonly Access["verb"][] = ["read", "write", "exec", "admin", "link", "peer"];
const ROLES: readonly Role[] = ["admin", "operator", "viewer", "node", "server"];
const PLACES = ["shop", "mail", "constructor", "__proto__"];

const roles = fc.subarray([...ROLES]);
const actors: fc.Arbitrary<Actor> = fc.record({
  name: fc.constant("anna"),
  roles,
  rolesIn: fc.array(fc.tuple(fc.constantFrom(...PLACES), roles)).map((all) => {
    const granted: Record<string, Role[]> = Object.create(null);
    for (const [place, some] of all) granted[place] = some;
    return granted;
  }),
});
const accesses: fc.Arbitrary<Access> = fc.record({
  verb: fc.constantFrom(...VERBS),
  resource: fc.constantFrom("pods", "secrets", "nodes"),
});
const places = fc.option(fc.constantFrom(...PLACES, "elsewhere"), { nil: undefined });

describe("authorize:", () => {
  test("without any grant nothing is allowed, wherever", () => {
    fc.assert(fc.property(accesses, places, (access, place) => !authorize({ name: "x", roles: [] }, access, place)));
  });

  test("a further role never takes a right away, in the cluster or in a namespace", () => {
    fc.assert(
      fc.property(
        actors,
        accesses,
        places,
        fc.constantFrom(...ROLES),
        fc.constantFrom(...PLACES),
        (actor, access, at, role, place) => {
          fc.pre(authorize(actor, access, at));
          const more = { ...actor.rolesIn, [place]: [...(actor.rolesIn?.[place] ?? []), role] };
          assert.ok(authorize({ ...actor, roles: [...actor.roles, role] }, access, at));
          assert.ok(authorize({ ...actor, rolesIn: { ...actor.rolesIn, ...more } }, access, at));
        },
      ),
    );
  });

  test("who may in the whole cluster may in each namespace", () => {
    fc.assert(
      fc.property(actors, accesses, fc.constantFrom(...PLACES), (actor, access, place) => {
        if (authorize(actor, access)) assert.ok(authorize(actor, access, place));
      }),
    );
  });

  test("a role in one namespace is worth nothing in another, nor in the cluster", () => {
    fc.assert(
      fc.property(accesses, roles, (access, granted) => {
        const actor = { name: "x", roles: [], rolesIn: { shop: granted } };
        assert.equal(authorize(actor, access, "mail"), false);
        assert.equal(authorize(actor, access), false);
      }),
    );
  });

  test("a namespace that is named like something every object has is no grant", () => {
    for (const place of ["constructor", "toString", "__proto__", "hasOwnProperty"])
      assert.equal(authorize({ name: "x", roles: [], rolesIn: {} }, { verb: "read", resource: "pods" }, place), false);
  });

  test("machines are of the whole cluster: their roles in a namespace are none", () => {
    const actor: Actor = { name: "x", roles: [], rolesIn: { shop: ["node", "server"] } };
    for (const verb of VERBS) assert.equal(authorize(actor, { verb, resource: "pods" }, "shop"), false, verb);
  });

  test("secrets are read by who may write there", () => {
    const read = { verb: "read", resource: "secrets" } as const;
    const actor: Actor = { name: "x", roles: ["viewer"], rolesIn: { shop: ["operator"] } };
    assert.deepEqual(
      [authorize(actor, read), authorize(actor, read, "mail"), authorize(actor, read, "shop")],
      [false, false, true],
    );
    assert.deepEqual(namespacesFor(actor, read), ["shop"]);
  });
});

describe("where a request reaches:", () => {
  const actor: Actor = { name: "x", roles: [], rolesIn: { shop: ["viewer"] } };
  const cases: readonly [
    why: string,
    access: Access,
    params: Record<string, string>,
    at: string | undefined,
    may: boolean,
  ][] = [
    ["the namespace of the path", { verb: "read", resource: "pods" }, { namespace: "shop" }, "shop", true],
    ["another namespace", { verb: "read", resource: "pods" }, { namespace: "mail" }, "mail", false],
    ["no namespace: the whole cluster", { verb: "read", resource: "pods" }, {}, undefined, false],
    ["a dialect's own namespace", { verb: "read", resource: "apps", reach: { namespace: "shop" } }, {}, "shop", true],
    [
      "a parameter of another name",
      { verb: "read", resource: "namespaces", reach: { namespaceParam: "name" } },
      { name: "shop" },
      "shop",
      true,
    ],
    ["a part: whoever may somewhere", { verb: "read", resource: "events", reach: "own part" }, {}, undefined, true],
    [
      "a part, and a verb that is allowed nowhere",
      { verb: "write", resource: "events", reach: "own part" },
      {},
      undefined,
      false,
    ],
    [
      "the whole cluster, said so",
      { verb: "read", resource: "x", reach: "whole cluster" },
      { namespace: "shop" },
      undefined,
      false,
    ],
  ];
  for (const [why, access, params, at, may] of cases) {
    test(why, () => {
      assert.equal(namespaceOf(access, params), at);
      assert.equal(mayAsk(actor, access, params), may);
    });
  }
});
