/** Everything but PUT of units: lists and their pages, machines, discovery, methods, unknown paths, and a store that is away. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DISCOVERY } from "../../../src/personalities/fleet/discovery.ts";
import { type Answer, Cluster, machineId, optionsOf, service, withCluster } from "./cluster.ts";

const ORIGINAL = join(import.meta.dirname, "../../../../shared/data/fleet-units/fleet-api-v1-discovery.json");
const OPTIONS = optionsOf(service());

function isRefusal(answer: Answer, code: number, message: string): void {
  assert.equal(answer.text, JSON.stringify({ error: { code, message } }));
  assert.equal(answer.status, code);
  assert.equal(answer.headers.get("Content-Type"), "application/json");
  assert.equal(answer.headers.get("Server"), "fleetd/1.0.0");
}

describe("methods and paths", () => {
  const NO_PATCH = "only GET and PATCH supported against this resource";
  const GET_ONLY = "only GET supported against this resource";
  const CASES: readonly (readonly [string, string, number, string])[] = [
    ["POST", "/machines", 405, NO_PATCH],
    ["DELETE", "/machines", 405, NO_PATCH],
    ["PUT", "/units", 405, GET_ONLY],
    ["DELETE", "/units", 405, GET_ONLY],
    ["POST", "/units/a.service", 405, "only GET, PUT and DELETE supported against this resource"],
    ["PATCH", "/units/a.service", 405, "only GET, PUT and DELETE supported against this resource"],
    ["GET", "/units/a.service", 404, "unit does not exist"],
    ["DELETE", "/units/a.service", 404, "unit does not exist"],
    ["GET", "/units/", 404, ""],
    ["GET", "/units/a/b", 404, ""],
    ["PUT", "/units/a/b", 404, ""],
    ["POST", "/state", 405, GET_ONLY],
    ["DELETE", "/state/a.service", 405, GET_ONLY],
    ["GET", "/state/a.service", 404, "unit state does not exist"],
    ["POST", "/discovery", 400, "only HTTP GET supported against this resource"],
    ["GET", "", 405, ""],
    ["GET", "/", 405, ""],
    ["POST", "/", 405, ""],
    ["GET", "/nothing", 404, ""],
    ["GET", "/machines/x", 404, ""],
  ];
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open("");
  });
  after(() => cluster.close());

  for (const prefix of ["/fleet/v1", "/v1-alpha"])
    for (const [method, path, code, message] of CASES)
      test(`${method} ${prefix}${path}: ${code} ${JSON.stringify(message)}`, async () => {
        isRefusal(await cluster.call(method, prefix + path, undefined, null), code, message);
      });

  test("nothing is an empty object, not an empty list", async () => {
    for (const path of ["/units", "/machines", "/state"]) assert.equal((await cluster.get(path)).text, "{}");
  });

  test("both prefixes show the same units", async () => {
    await cluster.put("both.service", { options: OPTIONS });
    assert.equal((await cluster.call("GET", "/v1-alpha/units")).text, (await cluster.get("/units")).text);
  });
});

describe("discovery", () => {
  test("is 6792 bytes", () => assert.equal(Buffer.byteLength(DISCOVERY), 6792));

  test("is served as it is kept", () =>
    withCluster("", async (cluster) => {
      const { text, headers } = await cluster.get("/discovery");
      assert.equal(text, DISCOVERY);
      assert.equal(headers.get("Content-Type"), "application/json");
      assert.equal(headers.get("Server"), "fleetd/1.0.0");
      assert.equal(JSON.parse(text).rootUrl, "$ENDPOINT/");
    }));

  test("is fleet's, byte for byte", { skip: existsSync(ORIGINAL) ? false : `NOT RUN: ${ORIGINAL} is not here` }, () =>
    assert.equal(DISCOVERY, readFileSync(ORIGINAL, "utf8")),
  );
});

describe("pages", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open("");
  });
  after(() => cluster.close());

  const BAD: readonly (readonly [string, string])[] = [
    ["EwBMLg==", "token limit must be 100"],
    ["ZAAAAA==", "token page must be greater than zero"],
    ["*", "illegal base64 data at input byte 0"],
    ["x", "illegal base64 data at input byte 0"],
    ["ZAABAA", "illegal base64 data at input byte 4"],
    ["ZAABAA=", "illegal base64 data at input byte 7"],
    ["ZAABAA==x", "illegal base64 data at input byte 8"],
    ["ZA=BAA==", "illegal base64 data at input byte 3"],
    ["ZA+BAA==", "illegal base64 data at input byte 2"],
    ["ZAA=", "unexpected EOF"],
    ["ZAABAGQA", "too many values for page token"],
  ];
  for (const [token, message] of BAD)
    for (const list of ["units", "machines", "state"])
      test(`${list}: ${token} is ${message}`, async () => {
        isRefusal(await cluster.get(`/${list}?nextPageToken=${encodeURIComponent(token)}`), 400, message);
      });

  test("hold a hundred, sorted by name; a full one has a next one, even an empty one", async () => {
    const names = Array.from({ length: 200 }, (_, at) => `u${String(at).padStart(3, "0")}.service`);
    await Promise.all(names.toReversed().map((name) => cluster.put(name, { options: OPTIONS })));
    const first = (await cluster.get("/units")).body;
    assert.equal(first.nextPageToken, "ZAACAA==");
    const second = (await cluster.get(`/units?nextPageToken=${first.nextPageToken}`)).body;
    const seen = [...first.units, ...second.units].map(({ name }: { name: string }) => name);
    assert.deepEqual(seen, names);
    assert.equal(second.nextPageToken, "ZAADAA==");
    assert.equal((await cluster.get("/units?nextPageToken=ZAADAA==")).text, "{}");
    assert.equal((await cluster.get("/units?nextPageToken=ZAABAA==")).text, (await cluster.get("/units")).text);
  });
});

describe("machines", () => {
  const patch = (cluster: Cluster, operations: unknown) =>
    cluster.call("PATCH", "/fleet/v1/machines", operations, null);
  const at = (letter: string, key: string) => `/${machineId(letter)}/metadata/${key}`;
  const metadataOf = async (cluster: Cluster, letter: string) => {
    const { machines } = (await cluster.get("/machines")).body;
    return machines.find(({ id }: { id: string }) => id === machineId(letter))?.metadata;
  };

  test("are listed by id, with what they say of themselves and no label of Kubernetes'", () =>
    withCluster("b", async (cluster) => {
      await cluster.addMachine("a", { az: "z1", "disk.type": "ssd" });
      const wanted = {
        machines: [
          { id: machineId("a"), metadata: { az: "z1", "disk.type": "ssd" }, primaryIP: "10.0.0.97" },
          { id: machineId("b"), primaryIP: "10.0.0.98" },
        ],
      };
      assert.equal((await cluster.get("/machines")).text, JSON.stringify(wanted));
    }));

  test("PATCH adds, changes and removes, over what the machine says of itself", () =>
    withCluster("", async (cluster) => {
      await cluster.addMachine("a", { az: "z1", region: "eu" });
      const changes = [
        { op: "add", path: at("a", "foo"), value: { value: "bar" } },
        { op: "replace", path: at("a", "az"), Value: { Value: "z2" } },
        { op: "remove", path: at("a", "region") },
        { op: "add", path: at("a", "plain"), value: "text" },
      ];
      const answer = await patch(cluster, changes);
      assert.deepEqual([answer.status, answer.text], [204, ""]);
      assert.equal(answer.headers.get("Content-Type"), "application/json");
      assert.equal(answer.headers.get("Server"), "fleetd/1.0.0");
      assert.deepEqual(await metadataOf(cluster, "a"), { az: "z2", foo: "bar", plain: "text" });
      await patch(cluster, [{ op: "remove", path: at("a", "foo") }]);
      assert.deepEqual(await metadataOf(cluster, "a"), { az: "z2", plain: "text" });
    }));

  test("PATCH of a machine that is not there is kept for it", () =>
    withCluster("", async (cluster) => {
      assert.equal((await patch(cluster, [{ op: "add", path: at("c", "k"), value: "v" }])).status, 204);
      assert.equal((await cluster.get("/machines")).text, "{}");
      await cluster.addMachine("c");
      assert.deepEqual(await metadataOf(cluster, "c"), { k: "v" });
    }));

  const BAD: readonly (readonly [object, string])[] = [
    [{ op: "move", path: at("a", "k"), value: { value: "v" } }, "invalid op: expect add, remove, or replace"],
    [{ path: at("a", "k"), value: { value: "v" } }, "invalid op: expect add, remove, or replace"],
    [{ op: "add", path: "/metadata/k", value: { value: "v" } }, "machine metadata path invalid"],
    [{ op: "add", path: `${at("a", "k")}/x`, value: { value: "v" } }, "machine metadata path invalid"],
    [{ op: "add", path: at("a", "k k"), value: { value: "v" } }, "machine metadata path invalid"],
    [{ op: "add", path: at("a", "k") }, "invalid value: add and replace require a value"],
    [{ op: "replace", path: at("a", "k"), value: { value: "" } }, "invalid value: add and replace require a value"],
  ];
  for (const [operation, message] of BAD)
    test(`${JSON.stringify(operation)}: ${message}, and nothing before it is done`, () =>
      withCluster("a", async (cluster) => {
        const good = { op: "add", path: at("a", "good"), value: { value: "v" } };
        isRefusal(await patch(cluster, [good, operation]), 400, message);
        assert.equal(await metadataOf(cluster, "a"), undefined);
      }));
});

describe("a store that cannot write", () => {
  test("is 503 in fleet's words, with ours in a Warning header; reads go on", () =>
    withCluster("", async (cluster) => {
      await cluster.put("kept.service", { options: OPTIONS });
      cluster.journal.refuseWith = "disk full";
      const refused = await cluster.put("new.service", { options: OPTIONS });
      isRefusal(refused, 503, "fleet server unable to communicate with etcd");
      assert.match(refused.headers.get("Warning") ?? "", /^299 - ".*disk full.*nothing was changed/);
      assert.equal((await cluster.get("/units/kept.service")).status, 200);
      isRefusal(
        await cluster.call("DELETE", "/fleet/v1/units/kept.service"),
        503,
        "fleet server unable to communicate with etcd",
      );
    }));
});
