import assert from "node:assert/strict";
import { normalize } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type FetchItem, type PlannedFetch, planFetch } from "./fetch-plan.ts";

describe("fetch plan", () => {
  const plans: { why: string; item: FetchItem; is: { [K in keyof PlannedFetch]?: PlannedFetch[K] | undefined } }[] = [
    {
      why: "named by the last part of the path",
      item: { uri: "http://h/a/b%20c.txt?x=/y" },
      is: { destination: "b c.txt" },
    },
    { why: "a tarball is unpacked", item: { uri: "https://h/app.tar.gz" }, is: { extract: "tar" } },
    { why: "a zip is unpacked", item: { uri: "https://h/app.ZIP" }, is: { extract: "zip" } },
    { why: "unless told not to", item: { uri: "https://h/app.tgz", extract: false }, is: { extract: undefined } },
    {
      why: "an executable is no archive",
      item: { uri: "https://h/x.zip", executable: true },
      is: { extract: undefined },
    },
    { why: "a local file", item: { uri: "file:///etc/hosts" }, is: { from: { kind: "file", path: "/etc/hosts" } } },
    { why: "an absolute path", item: { uri: "/etc/hosts" }, is: { destination: "hosts" } },
    { why: "a place of its own", item: { uri: "/etc/hosts", destPath: "conf/./h" }, is: { destination: "conf/h" } },
    { why: "an encoded slash stays in the name", item: { uri: "http://h/..%2F..%2Fetc" }, is: { destination: "etc" } },
  ];
  for (const { why, item, is } of plans) {
    test(why, () => {
      const plan = planFetch(item);
      assert.ok(typeof plan !== "string", String(plan));
      for (const [key, value] of Object.entries(is)) assert.deepEqual(plan[key as keyof PlannedFetch], value);
    });
  }

  const refusals: { item: FetchItem; says: RegExp }[] = [
    { item: { uri: "hdfs://namenode/x" }, says: /http, https and file URIs can be fetched, hdfs:\/\/ cannot/ },
    { item: { uri: "relative/path" }, says: /neither a URI nor an absolute path/ },
    { item: { uri: "http://h/" }, says: /names no file/ },
    { item: { uri: "/etc/hosts", destPath: "../out" }, says: /leads out of the sandbox/ },
    { item: { uri: "/etc/hosts", destPath: "/out" }, says: /leads out of the sandbox/ },
    { item: { uri: "file://other/x" }, says: /a file of this host/ },
  ];
  for (const { item, says } of refusals) {
    test(`${item.uri} to ${item.destPath ?? "its name"}: refused`, () => assert.match(String(planFetch(item)), says));
  }

  test("nothing leads out of the sandbox, whatever is asked", () => {
    const text = fc.oneof(fc.string(), fc.constantFrom("..", "../..", "a/../..", "%2e%2e", "..%2f", "/"));
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), (path, destPath) => {
        const plan = planFetch({ uri: `http://h/${path}`, ...(destPath === undefined ? {} : { destPath }) });
        if (typeof plan === "string") return;
        const inside = normalize(`/sandbox/${plan.destination}`);
        assert.ok(inside.startsWith("/sandbox/") && inside.length > "/sandbox/".length, inside);
      }),
    );
  });
});
