/** Every route that is mounted, for everybody there is: who gets past the front desk is told by a table of its own. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Access, Actor, Role } from "../../../src/http/actor.ts";
import { type Mounted, mountApis } from "../../../src/http/mount.ts";
import type { Api, Route, SocketRoute } from "../../../src/http/route.ts";
import { openStage, type Stage } from "./stage.ts";

/** Which verbs a role has, written down a second time: a change of the product's table has to be meant. */
const MAY: Readonly<Record<Role, readonly Access["verb"][]>> = {
  admin: ["self", "join", "read", "write", "exec", "admin"],
  operator: ["self", "join", "read", "write", "exec"],
  viewer: ["self", "join", "read"],
  node: ["self", "join", "link"],
  server: ["self", "join", "link", "peer"],
};

/** Answered for whoever has the right in any namespace, with his part of it. */
const OWN_PART = [
  ...[
    "workloads",
    "workloads/:name",
    "workloads/:name/why",
    "workloads/:name/logs",
    "workloads/:name/exec",
    "workloads/:name/port-forward",
  ],
  ...[
    "usage",
    "events",
    "services",
    "nodes",
    "servers",
    "brake",
    "routes",
    "settings",
    "status",
    "version",
    "objects/:kind",
    "objects/:kind/:key",
    "network",
    "network/trace",
  ],
]
  .map((path) => `GET /styr/v1/${path}`)
  // Written in the namespace of the workload, which stands in the body or in what is there.
  .concat("POST /styr/v1/exposures", "DELETE /styr/v1/exposures/:name");
const OF_EVERY_SERVER = [
  ...["GET /version", "GET /healthz", "GET /livez", "GET /readyz"],
  ...["GET /ping", "HEAD /ping", "GET /v2/info", "GET /v2/leader", "GET /v2/plugins", "GET /v2/eventSubscriptions"],
];
const JOINING = ["POST /styr/v1/join", "POST /styr/v1/join/cluster"];
const ABOUT_MACHINES = [
  ...["GET /styr/v1/agent", "POST /styr/v1/leave", "POST /styr/v1/certificates", "PUT /styr/v1/servers/:name"],
  "POST /styr/v1/servers/:name/goodbye",
];
/** Above the namespaces of their dialects: labels of nodes, and who leads. */
const WHOLE_CLUSTER = ["PATCH /fleet/v1/machines", "PATCH /v1-alpha/machines", "DELETE /v2/leader"];

interface Target {
  readonly name: string;
  readonly api: string;
  readonly route: Route | SocketRoute;
}

describe("every route:", () => {
  let stage: Stage;
  let targets: readonly Target[];
  let marked: Mounted;
  before(async () => {
    stage = await openStage();
    targets = stage.plane.mounted.routes.map(({ api, route }) => ({
      name: `${"method" in route ? route.method : "GET"} ${route.path}`,
      api,
      route,
    }));
    marked = mountApis(apisOf(targets));
  });
  after(() => stage.close());

  /** The same routes, with handlers that only say that they were reached. */
  function apisOf(all: readonly Target[]): readonly Api[] {
    return [...Map.groupBy(all, ({ api }) => api)].map(([name, mine]) => ({
      name,
      prefixes: ["/"],
      routes: mine.flatMap(({ route }) =>
        "method" in route ? { ...route, handle: () => new Response(null, { status: 299 }) } : [],
      ),
      sockets: mine.flatMap(({ route }) => ("method" in route ? [] : { ...route, open: async () => () => {} })),
      renderError: (error) => new Response(null, { status: (error as { status?: number }).status ?? 500 }),
      notFound: () => new Response(null, { status: 404 }),
    }));
  }

  /** 401, 403, or "handled". Parameters of the path are all called "shop". */
  async function standing({ route }: Target, actor: Actor | undefined): Promise<401 | 403 | "handled"> {
    const path = route.path.replaceAll(/:(\w+)(?:\{[^}]*\})?\??/g, "shop");
    const connection = { actor, remoteAddress: "192.0.2.7", origin: "https://here:1" };
    const method = "method" in route ? route.method : "GET";
    const request = new Request(`https://here:1${path}`, { method });
    if (!("method" in route)) {
      const opened = await marked.openSocket(request, connection);
      if (!(opened instanceof Response)) return "handled";
      assert.ok(opened.status === 401 || opened.status === 403, `${path}: ${opened.status}`);
      return opened.status;
    }
    const { status } = await marked.handle(request, connection);
    if (status === 299) return "handled";
    assert.ok(status === 401 || status === 403, `${method} ${path}: ${status}`);
    return status;
  }

  function placeOf({ name, route }: Target): string | undefined {
    if (WHOLE_CLUSTER.includes(name)) return undefined;
    if (/^\/(?:fleet\/v1|v1-alpha)\//.test(route.path)) return "fleet";
    if (/^\/v2\//.test(route.path)) return "marathon";
    if (/^\/apis?\/[^:]*v1\/namespaces\/:namespace\//.test(route.path)) return "shop";
    return name.startsWith("GET /api/v1/namespaces/:name") ? "shop" : undefined;
  }

  function expected(target: Target, { roles, rolesIn = {} }: Actor): 403 | "handled" {
    const { verb, resource } = target.route.access;
    const needed = verb === "read" && resource === "secrets" ? "write" : verb;
    if (needed === "self" || needed === "join") return "handled";
    const place = placeOf(target);
    const isPart = OWN_PART.includes(target.name) || OF_EVERY_SERVER.includes(target.name);
    const scoped = isPart ? Object.values(rolesIn).flat() : place === undefined ? [] : (rolesIn[place] ?? []);
    return [...roles, ...scoped].some((role) => MAY[role].includes(needed)) ? "handled" : 403;
  }

  const everybody: readonly Actor[] = [
    ...(["admin", "operator", "viewer", "node", "server"] as const).map((role) => ({ name: role, roles: [role] })),
    { name: "nothing granted", roles: [] },
    { name: "viewer in shop", roles: [], rolesIn: { shop: ["viewer"] } },
    { name: "operator in shop", roles: [], rolesIn: { shop: ["operator"] } },
    { name: "admin in shop", roles: [], rolesIn: { shop: ["admin"] } },
    { name: "operator in fleet", roles: [], rolesIn: { fleet: ["operator"] } },
    { name: "viewer in marathon", roles: [], rolesIn: { marathon: ["viewer"] } },
    { name: "viewer who writes in shop", roles: ["viewer"], rolesIn: { shop: ["operator"] } },
  ];

  test("what nobody known may send has small bodies: they are kept before anybody has proved anything", () => {
    const open = targets.filter(({ route }) => route.access.verb === "join");
    assert.deepEqual(open.map(({ name }) => name).sort(), JOINING.toSorted());
    for (const { name, route } of open)
      assert.ok("mostBytes" in route && (route.mostBytes ?? Number.POSITIVE_INFINITY) <= 64 * 1024, name);
  });

  test("there are those of every dialect, of our own and of the process, and each says what it needs", () => {
    assert.ok(targets.length > 150, String(targets.length));
    for (const api of ["fleet", "marathon", "kubernetes", "styr", "styr-agents", "styr-process"])
      assert.ok(
        targets.some((one) => one.api === api),
        api,
      );
    for (const { name, route } of targets) assert.ok(route.access.verb && route.access.resource, name);
  });

  test("nobody known is 401 everywhere but where hosts join, and no handler runs", async () => {
    const past: string[] = [];
    for (const target of targets) if ((await standing(target, undefined)) !== 401) past.push(target.name);
    assert.deepEqual(past, JOINING);
  });

  for (const actor of everybody) {
    test(`${actor.name}: what the table says, on every route`, async () => {
      const wrong: string[] = [];
      for (const target of targets) {
        const found = await standing(target, actor);
        const wanted = expected(target, actor);
        if (found !== wanted) wrong.push(`${target.name}: ${found}, not ${wanted}`);
      }
      assert.deepEqual(wrong, []);
    });
  }

  test("exactly these are for whoever has rights somewhere, for joining, and for machines", () => {
    const named = (isMeant: (access: Access) => boolean) =>
      targets.filter(({ route }) => isMeant(route.access)).map(({ name }) => name);
    assert.deepEqual(named(({ reach }) => reach === "own part").sort(), [...OWN_PART, ...OF_EVERY_SERVER].sort());
    assert.deepEqual(
      named(({ verb }) => verb === "join"),
      JOINING,
    );
    assert.deepEqual(
      named(({ verb }) => verb === "self"),
      ["GET /styr/v1/whoami"],
    );
    assert.deepEqual(named(({ verb }) => verb === "link" || verb === "peer").sort(), ABOUT_MACHINES.sort());
  });

  test("what changes something is never declared as reading", () => {
    const suspects = targets.filter(
      ({ route }) => "method" in route && route.access.verb === "read" && !["GET", "HEAD"].includes(route.method),
    );
    assert.deepEqual(
      suspects.map(({ name }) => name),
      [],
    );
  });
});
