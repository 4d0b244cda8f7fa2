/** Whatever is sent: an answer of fleet's shape, no 500, and lists that still work. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { type Answer, Cluster } from "./cluster.ts";

const SHAPE = /^\{"error":\{"code":\d{3},"message":".*"\}\}$/s;

function isFleets(answer: Answer): void {
  assert.equal(answer.headers.get("Server"), "fleetd/1.0.0");
  if (answer.status < 300) return;
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
  assert.match(answer.text, SHAPE);
  assert.equal(answer.body.error.code, answer.status);
}

const word = fc.oneof(
  fc.constantFrom(
    "Service",
    "X-Fleet",
    "Unit",
    "Install",
    "ExecStart",
    "Conflicts",
    "MachineMetadata",
    "Global",
    "__proto__",
  ),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const option = fc.record({ section: word, name: word, value: word }, { requiredKeys: [] });
const desired = fc.oneof(fc.constantFrom("inactive", "loaded", "launched", ""), word);
const unitBody = fc.record(
  { name: word, desiredState: desired, options: fc.array(option, { maxLength: 8 }) },
  {
    requiredKeys: [],
  },
);
const anyName = fc.oneof(
  fc.constantFrom("a.service", "t@.service", "t@1.service", "x.timer"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 30 }).filter((name) => name !== "." && name !== ".."),
);

describe("nonsense", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open("ab");
  });
  after(() => cluster.close());

  test("PUT of any JSON, and of any unit of any name", () =>
    fc.assert(
      fc.asyncProperty(anyName, fc.oneof(fc.json(), fc.string(), unitBody), async (name, body) => {
        isFleets(await cluster.put(name, body));
      }),
      { numRuns: 400 },
    ));

  test("PUT under a good name of any options: what is taken is given back as it came", () =>
    fc.assert(
      fc.asyncProperty(fc.array(option, { minLength: 1, maxLength: 8 }), desired, async (options, desiredState) => {
        const answer = await cluster.put("good.service", { options, desiredState });
        isFleets(answer);
        if (answer.status !== 201) return;
        const filled = options.map(({ section = "", name = "", value = "" }) => ({ section, name, value }));
        const back = (await cluster.unit("good.service")).options.map((given) => ({
          section: given.section ?? "",
          name: given.name ?? "",
          value: given.value ?? "",
        }));
        assert.deepEqual(back, filled);
      }),
      { numRuns: 200 },
    ));

  test("PATCH of machines with any JSON", () => {
    const path = fc.oneof(word, fc.constantFrom("/x/metadata/k", "/x/metadata/__proto__", "/constructor/metadata/a"));
    const value = fc.oneof(word, fc.record({ value: word }), fc.jsonValue());
    const operation = fc.record(
      { op: fc.constantFrom("add", "remove", "replace", "x"), path, value },
      { requiredKeys: [] },
    );
    const body = fc.oneof(fc.json(), fc.string(), fc.array(fc.oneof(operation, fc.jsonValue())));
    return fc.assert(
      fc.asyncProperty(body, async (given) => isFleets(await cluster.call("PATCH", "/fleet/v1/machines", given))),
      { numRuns: 300 },
    );
  });

  test("any token, and any filter", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom("units", "machines", "state"),
        fc.string({ unit: "binary" }),
        async (list, text) => {
          const query = encodeURIComponent(text.toWellFormed());
          isFleets(await cluster.get(`/${list}?nextPageToken=${query}`));
          isFleets(await cluster.get(`/${list}?machineID=${query}&unitName=${query}`));
        },
      ),
      { numRuns: 200 },
    ));

  test("afterwards every list is still there, and the controllers have nothing that they fail at", async () => {
    await cluster.untilDecided();
    for (const list of ["units", "machines", "state"]) assert.equal((await cluster.get(`/${list}`)).status, 200);
  });
});
