import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { asTyped } from "./called-as.ts";

describe("hints can be typed as they stand:", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "styr-path-"));
    await writeFile(join(folder, "styr"), "");
    await chmod(join(folder, "styr"), 0o755);
  });
  after(() => rm(folder, { recursive: true }));

  test("styr where the shell finds one, else npx styr", () => {
    assert.equal(asTyped("styr why web", [], { PATH: `/nonexistent:${folder}` }), "styr why web");
    assert.equal(asTyped("styr why web", [], { PATH: "/nonexistent" }), "npx styr why web");
  });

  test("what npm puts on the path is not the shell's", () => {
    const env = { PATH: "/project/node_modules/.bin:/nonexistent", npm_command: "exec" };
    assert.equal(
      asTyped("curl http://a   or   styr logs -f web", ["ps"], env),
      "curl http://a   or   npx styr logs -f web",
    );
  });

  test("a server named by flag is named again, in quotes where the shell needs them", () => {
    const env = { PATH: folder };
    assert.equal(asTyped("styr up", ["--server", "unix:///a/s.sock", "ps"], env), "styr up");
    assert.equal(asTyped("styr ps", ["--server", "unix:///a/s.sock", "why"], env), "styr --server unix:///a/s.sock ps");
    assert.equal(asTyped("styr ps", ["--server", "unix:///a/s.sock", "why"], env, "/a/s.sock"), "styr ps");
    assert.equal(asTyped("styr ps", ["ps", "--server=/a b"], env), "styr --server '/a b' ps");
    assert.equal(asTyped("styr ps", ["exec", "web", "--", "x", "--server", "y"], env), "styr ps");
  });

  test("a workload called styr keeps its name", () => {
    assert.equal(asTyped("styr why styr", [], { PATH: "" }), "npx styr why styr");
  });
});
