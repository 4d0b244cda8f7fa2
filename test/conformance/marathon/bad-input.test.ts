import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { Cluster } from "./cluster.ts";

const invalidJson = (path: string, ...errors: string[]) => ({ message: "Invalid JSON", details: [{ path, errors }] });
const notValid = (path: string, ...errors: string[]) => ({
  message: "Object is not valid",
  details: [{ path, errors }],
});

const aboveRoot = (id: string) => `'${id}' leads above the root group; '..' stands for the group around it`;

const REFUSED: readonly (readonly [string, unknown, number, object])[] = [
  ["a wrong type", { id: "a", cpus: "1" }, 422, invalidJson("/cpus", "error.expected.jsnumber")],
  ["a missing id", { cmd: "ls" }, 422, invalidJson("/id", "error.path.missing")],
  ["an id with a shell in it", { id: "a;rm -rf /", cmd: "ls" }, 422, invalidJson("/id", "error.pattern")],
  ...["../x", "../../etc/passwd", "/a/../../x"].map(
    (id) => [`an id above the root: ${id}`, { id, cmd: "ls" }, 422, notValid("/id", aboveRoot(id))] as const,
  ),
  ["an id with a newline", { id: "a\nb", cmd: "ls" }, 422, invalidJson("/id", "error.pattern")],
  ["a list where an object is meant", [], 422, invalidJson("/", "error.expected.jsobject")],
  [
    "a nested wrong type",
    { id: "a", container: { docker: { image: 3 } } },
    422,
    invalidJson("/container/docker/image", "error.expected.jsstring"),
  ],
  [
    "a port out of range",
    { id: "a", cmd: "ls", portDefinitions: [{ port: 70000 }] },
    422,
    invalidJson("/portDefinitions(0)/port", "error.max"),
  ],
  ["negative memory", { id: "a", cmd: "ls", mem: -1 }, 422, invalidJson("/mem", "error.min")],
  ["half an instance", { id: "a", cmd: "ls", instances: 0.5 }, 422, invalidJson("/instances", "error.expected.int")],
  [
    "too many instances",
    { id: "a", cmd: "ls", instances: 2_000_000 },
    422,
    notValid("/instances", "got 2000000, expected 100000 or less"),
  ],
  [
    "an unknown protocol",
    { id: "a", cmd: "ls", healthChecks: [{ protocol: "SCTP" }] },
    422,
    invalidJson("/healthChecks(0)/protocol", "error.unknown.enum.literal"),
  ],
  [
    "half an upgrade strategy",
    { id: "a", cmd: "ls", upgradeStrategy: { minimumHealthCapacity: 1 } },
    422,
    invalidJson("/upgradeStrategy/maximumOverCapacity", "error.path.missing"),
  ],
  [
    "a reserved name",
    { id: "/a/tasks", cmd: "ls" },
    422,
    notValid("/id", "must not end with any of the following reserved keywords: restart, tasks, versions, ., .."),
  ],
  [
    "a constraint without an operator",
    { id: "a", cmd: "ls", constraints: [["hostname"]] },
    422,
    notValid("/constraints(0)", "Each constraint must have either 2 or 3 fields"),
  ],
  [
    "a circle of dependencies",
    { id: "a", cmd: "ls", dependencies: ["/a"] },
    422,
    notValid("/", "Dependency graph has cyclic dependencies."),
  ],
];

describe("bad input", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open();
  });
  after(() => cluster.close());

  for (const [what, body, status, answer] of REFUSED) {
    test(`${what} is ${status}, and changes nothing`, async () => {
      const refused = await cluster.call("POST", "/v2/apps", body);
      assert.deepEqual([refused.status, refused.body], [status, answer]);
      assert.deepEqual((await cluster.call("GET", "/v2/apps")).body, { apps: [] });
    });
  }

  test("what is not JSON is 400 with the parser's words", async () => {
    for (const text of ['{"id": "a",', "", "id: a", `${"[".repeat(200_000)}`]) {
      const refused = await cluster.call("POST", "/v2/apps", text);
      assert.equal(refused.status, 400, text.slice(0, 20));
      assert.equal(refused.body.message, "Invalid JSON");
      assert.equal(typeof refused.body.details, "string");
    }
  });

  test("an id in a path that cannot be one is refused", async () => {
    for (const path of ["/v2/apps/A%20b", "/v2/apps/%2e%2e%2f%00", "/v2/apps/x_y"]) {
      const { status } = await cluster.call("GET", path);
      assert.ok(status === 422 || status === 404, `${path}: ${status}`);
    }
  });

  test("a body whose id is not that of the path is refused", async () => {
    assert.equal((await cluster.call("PUT", "/v2/apps/a", { id: "/b", cmd: "ls" })).status, 422);
  });

  test("an app where a group is, and a group where an app is, are refused", async () => {
    await cluster.call("POST", "/v2/apps", { id: "/team/web", cmd: "ls" });
    for (const id of ["/team", "/team/web/below"]) {
      const { status, body } = await cluster.call("POST", "/v2/apps", { id, cmd: "ls" });
      assert.equal(status, 422);
      assert.deepEqual(body, notValid("/", "Groups and Applications may not have the same identifier."));
    }
    await cluster.call("DELETE", "/v2/apps/team/web?force=true");
  });

  const keys = fc.constantFrom(
    "id",
    "cmd",
    "args",
    "cpus",
    "mem",
    "instances",
    "env",
    "labels",
    "constraints",
    "container",
    "docker",
    "image",
    "networks",
    "portMappings",
    "portDefinitions",
    "ports",
    "uris",
    "fetch",
    "healthChecks",
    "upgradeStrategy",
    "ipAddress",
    "dependencies",
    "volumes",
    "readinessChecks",
    "check",
    "version",
    "__proto__",
    "constructor",
    "unreachableStrategy",
    "residency",
    "resourceLimits",
    "apps",
    "groups",
    "scaleBy",
    "ids",
    "mode",
    "name",
    "type",
  );
  const leaf = fc.oneof(
    fc.string(),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom("/a", "a", "host", "BRIDGE", "DOCKER", "HTTP", "tcp", "UNIQUE", "hostname", "disabled"),
  );
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, leaf, tie("object"), fc.array(tie("value"), { maxLength: 3 })),
    object: fc.dictionary(keys, tie("value"), { maxKeys: 6 }),
  }));

  test("whatever JSON comes, the answer is 2xx or 4xx with a body", async () => {
    const calls = [
      ["POST", "/v2/apps"],
      ["PUT", "/v2/apps"],
      ["PUT", "/v2/apps/a"],
      ["PATCH", "/v2/apps/a"],
      ["POST", "/v2/groups"],
      ["PUT", "/v2/groups/g"],
      ["POST", "/v2/tasks/delete"],
    ] as const;
    const text = fc.oneof(
      json.value.map((value) => JSON.stringify(value)),
      json.object.map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...calls), text, async ([method, path], body) => {
        const answer = await cluster.call(method, `${path}?force=true`, body);
        assert.ok(
          answer.status >= 200 && answer.status < 500 && answer.status !== 304,
          `${method} ${path} ${body}: ${answer.status} ${answer.text}`,
        );
        assert.ok(answer.body !== undefined, "an answer has a body");
      }),
      { numRuns: 400 },
    );
  });

  test("whatever bytes come, the answer is 400 or 422", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        const { status } = await cluster.call("POST", "/v2/apps", new TextDecoder("latin1").decode(bytes) || " ");
        assert.ok(status === 400 || status === 422, String(status));
      }),
    );
  });
});
