import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { openNetSpace } from "./net-space.ts";

describe("a space of network namespaces:", () => {
  test("pods of one host reach each other, hosts on one link do, and nothing is left", () => {
    const space = openNetSpace({ hosts: 2 });
    const [one, two] = [space.host(1).addPod(5), space.host(1).addPod(6)];
    assert.equal(one.run("ping", ["-c1", "-W2", two.address]).exitCode, 0);
    assert.equal(space.host(1).run("ping", ["-c1", "-W2", space.host(2).address]).exitCode, 0);
    assert.notEqual(one.run("ping", ["-c1", "-W1", space.host(2).gateway]).exitCode, 0, "no routes yet");
    space.close();
    assert.ok(!existsSync(`/run/netns/${one.netns}`));
  });

  test("hosts apart reach each other through a router", () => {
    const space = openNetSpace({ hosts: 2, isApart: true });
    assert.equal(space.host(1).run("ping", ["-c1", "-W2", space.host(2).address]).exitCode, 0);
    assert.match(space.host(1).run("ip", ["route", "get", space.host(2).address]).output, / via /);
    space.close();
  });
});
