import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { certificateSteps } from "./certificate-commands.ts";
import { type MapName, type Maps, mapCommands, parseMap } from "./map-commands.ts";
import { parseProcesses } from "./master-socket.ts";

const path = (name: MapName) => `/f/${name}.map`;
const maps = (of: Partial<Record<MapName, Record<string, string>>>): Maps =>
  new Map(Object.entries(of).map(([name, map]) => [name as MapName, new Map(Object.entries(map))]));

describe("maps of HAProxy that runs:", () => {
  test("whose a host is comes before its routes, and goes after them; what is the same is not said", () => {
    const before = maps({ hosts: { a: "x", b: "x" }, exact: { "a/": "one", "b/": "two" } });
    const after = maps({ hosts: { a: "y", c: "x" }, exact: { "a/": "one", "c/": "three" } });
    assert.deepEqual(mapCommands(path, before, after), [
      ...["set map /f/hosts.map a y", "add map /f/hosts.map c x", "add map /f/exact.map c/ three"],
      ...["del map /f/exact.map b/", "del map /f/hosts.map b"],
    ]);
    assert.deepEqual(mapCommands(path, after, after), []);
    assert.deepEqual(mapCommands(path, before, maps({ challenges: { "/t": "k" } })), [
      "add map /f/challenges.map /t k",
    ]);
  });

  test("a key with a sign that ends a command is none that can be told", () => {
    for (const key of ["a/;disable", "a/ b", "a/\\", "a/<<", ""])
      assert.equal(mapCommands(path, maps({}), maps({ exact: { [key]: "one" } })), undefined, key);
  });

  test("are heard as they were told", () => {
    assert.deepEqual(
      [...parseMap("0x55 a/ one\n0x66 *.b/ two\n\n")],
      [
        ["a/", "one"],
        ["*.b/", "two"],
      ],
    );
  });
});

test("of certificates what comes and goes is told, each file once, however many hosts have it", () => {
  const steps = certificateSteps(["/d", "/1 a", "/2 b", "/2 c"], ["/d", "/1 a", "/3 b", "/3 c", "/1 d"]);
  assert.deepEqual(steps, {
    ...{ come: ["/3 b", "/3 c", "/1 d"], gone: ["/2 b", "/2 c"], files: ["/3"], left: ["/2"] },
  });
});

test("what a master says of its workers: the one that serves, for how long, and those of before", () => {
  const text = [
    "#<PID>          <type>          <reloads>       <uptime>        <version>",
    "10              master          2 [failed: 1]   0d00h05m08s     2.6.12",
    ...["# workers", "14              worker          0               1d02h03m04s     2.6.12", "# old workers"],
    "12              worker          1               0d00h04m00s     2.6.12",
    ...["13              worker          1               0d00h03m00s     2.6.12", "# programs", "", ""],
  ].join("\n");
  const servingMs = ((26 * 60 + 3) * 60 + 4) * 1000;
  assert.deepEqual(parseProcesses(text), { worker: 14, failedReloads: 1, oldWorkers: 2, servingMs });
});
