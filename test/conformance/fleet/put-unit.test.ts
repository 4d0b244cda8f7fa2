/** PUT /units/NAME: the order of its decisions, and its exact words. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Cluster, optionsOf, service } from "./cluster.ts";

const OPTIONS = optionsOf(service());
const OTHER = optionsOf("[Service]\nExecStart=/bin/sleep 200\n");

describe("PUT of a unit decides in fleet's order", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open("");
  });
  after(() => cluster.close());

  const refused = async (answer: ReturnType<Cluster["call"]>, code: number, message: string) => {
    const { status, text, headers } = await answer;
    assert.equal(text, JSON.stringify({ error: { code, message } }));
    assert.equal(status, code);
    assert.equal(headers.get("Content-Type"), "application/json");
    assert.equal(headers.get("Server"), "fleetd/1.0.0");
  };
  const path = "/fleet/v1/units/order.service";

  test("first the content type, whatever else is wrong", async () => {
    const only = "only acceptable Content-Type is application/json";
    await refused(cluster.call("PUT", path, "{nonsense", "text/plain"), 415, only);
    await refused(cluster.call("PUT", path, "{nonsense", "application/jsonp"), 415, only);
    await refused(cluster.call("PUT", path, "{nonsense", null), 415, "expected 1 Content-Type, got 0");
    const twice = "application/json, application/json";
    await refused(cluster.call("PUT", path, "{nonsense", twice), 415, "expected 1 Content-Type, got 2");
    const withParameters = await cluster.call("PUT", path, "{}", 'Application/JSON; charset="utf-8, really"');
    assert.equal(withParameters.status, 409);
  });

  test("then whether the body can be read, whatever name is in it", async () => {
    for (const body of ["", "{", "[]", "7", '{"name":7}', '{"name":"x","options":{}}', '{"options":[7]}'])
      assert.match((await cluster.call("PUT", path, body)).body.error.message, /^unable to decode body: ./, body);
  });

  test("then whether the name is the one in the URL, before whether it is a good one", async () => {
    const message = 'name in URL "order.service" differs from unit name in request body "b@d"';
    await refused(cluster.put("order.service", { name: "b@d", options: OPTIONS }), 400, message);
  });

  test("then the name's own rules, before whether the unit is there", async () => {
    await refused(cluster.put("order.foo", {}), 400, 'invalid unit type: "foo"');
  });

  test("a unit that is not there needs options; then they are checked; then it is made", async () => {
    await refused(cluster.put("order.service", {}), 409, "unit does not exist and options field empty");
    const absent = { desiredState: "launched" };
    await refused(cluster.put("order.service", absent), 409, "unit does not exist and options field empty");
    const bad = optionsOf(service("MachineID=a", "Global=true"));
    const message = "MachineID cannot be used with Global";
    await refused(cluster.put("order.service", { options: bad, desiredState: "nonsense" }), 400, message);
    const made = await cluster.put("order.service", { options: OPTIONS });
    assert.deepEqual([made.status, made.text, made.headers.get("Content-Type")], [201, "", null]);
    assert.equal(made.headers.get("Server"), "fleetd/1.0.0");
  });

  test("straight after it is made its current state is inactive, as submit waits to see", async () => {
    assert.equal((await cluster.put("fresh.service", { options: OPTIONS })).status, 201);
    const { text } = await cluster.get("/units/fresh.service");
    const option = { name: "ExecStart", section: "Service", value: "/bin/sleep 100" };
    const wanted = { currentState: "inactive", desiredState: "inactive", name: "fresh.service", options: [option] };
    assert.equal(text, JSON.stringify(wanted));
  });

  test("a unit that is there, with the same options or none, needs a desired state", async () => {
    await cluster.put("there.service", { options: OPTIONS });
    const must = "must provide DesiredState to update existing unit";
    await refused(cluster.put("there.service", {}), 409, must);
    await refused(cluster.put("there.service", { options: OPTIONS }), 409, must);
    const set = await cluster.put("there.service", { desiredState: "loaded" });
    assert.deepEqual([set.status, set.text, set.headers.get("Content-Type")], [204, "", null]);
    assert.equal(set.headers.get("Warning"), null);
    assert.equal((await cluster.unit("there.service")).desiredState, "loaded");
  });

  test("other options replace it, and without a desired state it is to be inactive", async () => {
    await cluster.put("other.service", { options: OPTIONS, desiredState: "launched" });
    assert.equal((await cluster.put("other.service", { options: OTHER })).status, 201);
    const { desiredState, options } = await cluster.unit("other.service");
    assert.deepEqual([desiredState, options], ["inactive", OTHER]);
  });

  test("a template is not activated once it is there, but may be put with any state", async () => {
    assert.equal((await cluster.put("t@.service", { options: OPTIONS, desiredState: "launched" })).status, 201);
    await refused(cluster.put("t@.service", { desiredState: "loaded" }), 400, 'cannot activate template "t@.service"');
    assert.equal((await cluster.put("t@.service", { desiredState: "inactive" })).status, 204);
    await cluster.settle();
    const its = cluster.pods().filter(({ metadata }) => metadata.name.startsWith("t"));
    assert.deepEqual(
      its.map(({ metadata }) => metadata.annotations?.["styrmann.dev/workload"]),
      ["there.service"],
    );
  });

  test("a desired state that does not exist is refused, and poisons nothing", async () => {
    const message = 'invalid desiredState "running": it is one of inactive, loaded, launched';
    await refused(cluster.put("poison.service", { options: OPTIONS, desiredState: "running" }), 400, message);
    assert.equal((await cluster.get("/units/poison.service")).status, 404);
    await cluster.put("poison.service", { options: OPTIONS });
    await refused(cluster.put("poison.service", { desiredState: "running" }), 400, message);
    assert.equal((await cluster.get("/units/poison.service")).status, 200);
    assert.equal((await cluster.call("DELETE", "/fleet/v1/units/poison.service")).status, 204);
  });

  test("empty values may be left out, and keys count in any case", async () => {
    const body = { Name: "empty.service", Options: [{ Section: "Service", name: "ExecStartPre" }] };
    assert.equal((await cluster.put("empty.service", body)).status, 201);
    assert.deepEqual((await cluster.unit("empty.service")).options, [{ name: "ExecStartPre", section: "Service" }]);
  });

  test("a line that would not survive being written and read again is refused", async () => {
    for (const length of [2047, 5000]) {
      const options = [{ section: "Service", name: "ExecStart", value: "x".repeat(length) }];
      await refused(cluster.put("long.service", { options }), 400, "line too long (max 2048 bytes)");
    }
  });

  test("what is wrong with a unit is said in Warning headers; asked to be strict, it is refused and nothing changes", async () => {
    const options = optionsOf("[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n").map((option, at) => ({
      ...option,
      line: 41 + at,
    }));
    const strict = await cluster.call("PUT", "/fleet/v1/units/two.service?fieldValidation=Strict", { options });
    assert.equal(strict.status, 400);
    assert.match(strict.body.error.message, /^two\.service:42: Service has more than one ExecStart= setting/);
    assert.equal((await cluster.get("/units/two.service")).status, 404);
    const lenient = await cluster.put("two.service", { options });
    assert.equal(lenient.status, 201);
    assert.match(lenient.headers.get("Warning") ?? "", /^299 - "two\.service:42: Service has more than one ExecStart/);
  });

  test("what a unit requires and is not here is said once, and blocks nothing", async () => {
    const file =
      "[Unit]\nWants=other.service\nRequires=etcd.service docker.service\nBindsTo=docker.service\nAfter=docker.service\n";
    const body = { options: optionsOf(`${file}[Service]\nExecStart=/bin/sleep 9\n`) };
    const { headers } = await cluster.put("needs.service", body);
    assert.match(
      headers.get("Warning") ?? "",
      /^299 - "needs\.service:3: it requires etcd\.service, docker\.service: no such units are kept here at present, [^"]*starts all the same"$/,
    );
    for (const name of ["etcd.service", "docker.service"])
      await cluster.put(name, { options: optionsOf("[Service]\nExecStart=/bin/sleep 9\n") });
    const again = { options: optionsOf(`${file}[Service]\nExecStart=/bin/sleep 10\n`) };
    assert.equal((await cluster.put("needs.service", again)).headers.get("Warning"), null);
  });

  test("unknown keys of [X-Fleet] are accepted, with a word about what was meant", async () => {
    const { status, headers } = await cluster.launch("typo.service", service("machineof=a.service"), "inactive");
    assert.equal(status, 201);
    const said = 'typo.service:5: unknown key \\"machineof\\" in [X-Fleet] is ignored; did you mean \\"MachineOf\\"?';
    assert.equal(headers.get("Warning"), `299 - "${said}"`);
  });
});

describe("names of units", () => {
  const REFUSED: readonly (readonly [string, string])[] = [
    [`${"x".repeat(249)}.service`, "unit name exceeds maximum length (256)"],
    ["hello", 'unit name must contain "."'],
    ["hello.", 'unit name cannot end in "."'],
    ["hello.foo", 'invalid unit type: "foo"'],
    ["hello.SERVICE", 'invalid unit type: "SERVICE"'],
    ['hello."', 'invalid unit type: "\\""'],
    ["hello@1.mount", 'invalid unit type for template: "mount"'],
    ["he llo.service", "invalid character ' ' in unit name"],
    ["../hello.service", "invalid character '/' in unit name"],
    ["a;b.service", "invalid character ';' in unit name"],
    ["$(reboot).service", "invalid character '$' in unit name"],
    ["a\u0007.service", "invalid character '\\a' in unit name"],
    ["a'b.service", "invalid character '\\'' in unit name"],
    ["grün.service", "invalid character 'ü' in unit name"],
    ["@hello.service", 'unit name cannot start in "@"'],
  ];
  const TAKEN = [".service", "a\\x2db.service", "foo@bar@baz.service", "a:b_c-D.9.timer", "x.target", "swap.swap"];
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open("");
  });
  after(() => cluster.close());

  for (const [name, message] of REFUSED)
    test(`${JSON.stringify(name.slice(0, 30))}: ${message}`, async () => {
      const { status, body } = await cluster.put(name, { options: OPTIONS });
      assert.deepEqual([status, body], [400, { error: { code: 400, message } }]);
    });

  for (const name of [...TAKEN, `${"x".repeat(248)}.service`])
    test(`${name.slice(0, 30)} is taken`, async () => {
      assert.equal((await cluster.put(name, { options: OPTIONS })).status, 201);
      assert.equal((await cluster.unit(name)).name, name);
    });
});

describe("combinations of [X-Fleet] that no machine could satisfy", () => {
  const REFUSED: readonly (readonly [readonly string[], string])[] = [
    [["MachineOf=a.service", "Conflicts=a*"], 'unresolvable requirements: peer "a.service" matches conflict "a*"'],
    [
      ["MachineOf=a.service", "Replaces=a.service"],
      'unresolvable requirements: peer "a.service" matches replace "a.service"',
    ],
    [
      ["MachineID=x", "MachineOf=a.service", "Conflicts=b", "Global=1", "Replaces=c"],
      "MachineID cannot be used with Peers",
    ],
    [["X-ConditionMachineID=x", "X-Conflicts=b", "Global=on", "Replaces=c"], "MachineID cannot be used with Conflicts"],
    [["X-ConditionMachineBootID=x", "Global=T", "Replaces=c"], "MachineID cannot be used with Global"],
    [["MachineID=x", "Replaces=c"], "MachineID cannot be used with Replaces"],
    [["Global=yes", "X-ConditionMachineOf=a.service", "Replaces=c"], "Global cannot be used with Peers"],
    [["Global=true", "Replaces=c"], "Global cannot be used with Replaces"],
    [["Conflicts=b", "Replaces=c"], "Conflicts cannot be used with Replaces"],
  ];
  const TAKEN: readonly (readonly string[])[] = [
    ["Global=true", "Conflicts=b"],
    ["Global=true", "Global=false", "MachineOf=a.service"],
    ["Conflicts=[", "MachineOf=a.service"],
    ["MachineMetadata=a=1 b=2"],
    // Without the unit's name specifiers stay, so this is not its own name.
    ["MachineOf=a.service", "Conflicts=%n"],
  ];
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.open("");
  });
  after(() => cluster.close());

  for (const [lines, message] of REFUSED)
    test(message, async () => {
      const { status, body } = await cluster.launch("x.service", service(...lines), "inactive");
      assert.deepEqual([status, body], [400, { error: { code: 400, message } }]);
    });

  for (const [at, lines] of TAKEN.entries())
    test(`${lines.join(", ")} is taken`, async () => {
      assert.equal((await cluster.launch(`x${at}.service`, service(...lines), "inactive")).status, 201);
    });

  test("a replacement is checked too, unlike fleet's, and leaves the unit as it was", async () => {
    await cluster.launch("kept.service", service(), "inactive");
    const bad = await cluster.launch("kept.service", service("Global=true", "Replaces=c"), "inactive");
    assert.equal(bad.status, 400);
    assert.deepEqual((await cluster.unit("kept.service")).options, OPTIONS);
  });
});
