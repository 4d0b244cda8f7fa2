import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connectionProblem } from "./connection-problem.ts";
import { chooseEndpoint, type Endpoint, endpointOf } from "./endpoint.ts";

const NOBODY = { env: {}, uid: 1000, home: "/nonexistent" };

describe("which server:", () => {
  test("a flag wins over the environment, that over the config file", () => {
    const home = mkdtempSync(join(tmpdir(), "styr-home-"));
    mkdirSync(join(home, ".config", "styr"), { recursive: true });
    writeFileSync(join(home, ".config", "styr", "config.json"), '{"server": "http://filed:1", "token": "t1"}');
    const urlOf = (endpoint: ReturnType<typeof chooseEndpoint>) =>
      endpoint.type === "net" ? endpoint.url.host : endpoint.path;
    const around = { env: { STYR_SERVER: "http://env:2" }, uid: 1000, home };
    assert.equal(urlOf(chooseEndpoint({ server: "http://flag:3" }, around)), "flag:3");
    assert.equal(urlOf(chooseEndpoint({}, around)), "env:2");
    const filed = chooseEndpoint({}, { ...around, env: {} });
    assert.deepEqual([urlOf(filed), filed.token], ["filed:1", "t1"]);
    assert.equal(
      chooseEndpoint({}, around).token,
      undefined,
      "a token is only sent to the server it was written down for",
    );
    rmSync(home, { recursive: true });
  });

  test("without any, the socket in the state directory of root or of the user", () => {
    assert.deepEqual(chooseEndpoint({}, NOBODY), {
      type: "unix",
      path: "/nonexistent/.local/state/styrmann/styr.sock",
    });
    assert.deepEqual(chooseEndpoint({}, { ...NOBODY, env: { STYR_STATE: "/srv/styr" } }), {
      type: "unix",
      path: "/srv/styr/styr.sock",
    });
  });

  test("sockets and URLs are told apart, nonsense is refused", () => {
    assert.deepEqual(endpointOf("unix:///a/b.sock", "t", undefined), { type: "unix", path: "/a/b.sock", token: "t" });
    assert.deepEqual(endpointOf("/a/b.sock", undefined, undefined), { type: "unix", path: "/a/b.sock" });
    for (const nonsense of ["host:7443", "ftp://x", "nonsense"])
      assert.throws(() => endpointOf(nonsense, undefined, undefined), /is not a server/);
    assert.throws(
      () => endpointOf("https://h:1", undefined, "/nonexistent/ca.pem"),
      /the CA file \/nonexistent\/ca\.pem cannot be read/,
    );
  });

  test("no answer is worded with what to do next", () => {
    const unix = { type: "unix", path: "/a.sock" } as const;
    const net = { type: "net", url: new URL("https://h:7443") } as const;
    const problem = (code: string, endpoint: Endpoint) =>
      connectionProblem(Object.assign(new Error("x"), { code }), endpoint);
    assert.equal(problem("ENOENT", unix).next, "styr up");
    assert.equal(problem("ECONNREFUSED", unix).next, "styr up");
    for (const code of ["ECONNREFUSED", "EHOSTUNREACH", "ETIMEDOUT"])
      assert.match(problem(code, net).next ?? "", /^is it up there\?.*--server https/, "no second cluster is proposed");
    assert.equal(problem("ECONNRESET", net).next, "styr status");
    const plain = { type: "net", url: new URL("http://h:7443") } as const;
    assert.equal(problem("ECONNRESET", plain).next, "is it https? --server https://h:7443");
    assert.match(problem("SELF_SIGNED_CERT_IN_CHAIN", net).next ?? "", /--ca FILE/);
  });
});
