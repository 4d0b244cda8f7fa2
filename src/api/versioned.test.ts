import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mountApis } from "../http/mount.ts";
import type { Api } from "../http/route.ts";
import { notFound, renderError } from "./errors.ts";
import { versioned } from "./versioned.ts";

const connection = { actor: { name: "ann", roles: ["admin"] }, remoteAddress: "local", origin: "http://x" } as const;

/** What it was asked to do, and the API that did it. */
function api(): { readonly done: string[]; readonly api: Api } {
  const done: string[] = [];
  const at = (path: string) => ({
    method: "GET" as const,
    path,
    access: { verb: "read" as const, resource: "things" },
    handle: () => {
      done.push(path);
      return Response.json({});
    },
  });
  const routes = [at("/styr/v1/things"), at("/styr/v1/version")];
  return { done, api: { name: "x", prefixes: ["/styr"], routes, renderError, notFound } };
}

async function ask(path: string, version?: string) {
  const { done, api: one } = api();
  const headers: Record<string, string> = version === undefined ? {} : { "Styrmann-Version": version };
  const mounted = mountApis([versioned(one, "1.4.0")]);
  const response = await mounted.handle(new Request(`http://x${path}`, { headers }), connection);
  return { done, status: response.status, says: response.headers.get("Styrmann-Version"), text: await response.text() };
}

describe("versions in requests", () => {
  test("every answer says the server's version, refusals too", async () => {
    assert.equal((await ask("/styr/v1/things")).says, "1.4.0");
    assert.equal((await ask("/styr/v1/nothing")).says, "1.4.0");
  });

  test("a styr that is too old is refused before anything is done, and told what to upgrade", async () => {
    const { done, status, text } = await ask("/styr/v1/things", "1.2.0");
    assert.equal(status, 400);
    assert.match(text, /upgrade the command styr to 1\.3 or 1\.4/);
    assert.deepEqual(done, []);
  });

  test("a styr that is too old opens no WebSocket either", async () => {
    const opened: string[] = [];
    const sockets = [
      {
        ...{ path: "/styr/v1/exec", access: { verb: "exec" as const, resource: "things" }, protocols: [] },
        open: async () => {
          opened.push("exec");
          return () => {};
        },
      },
    ];
    const mounted = mountApis([versioned({ ...api().api, sockets }, "1.4.0")]);
    const open = (version: string) => {
      const headers = { "Styrmann-Version": version };
      return mounted.openSocket(new Request("http://x/styr/v1/exec", { headers }), connection);
    };
    const answer = await open("9.0.0");
    assert.ok(answer instanceof Response);
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.get("Styrmann-Version"), "1.4.0");
    assert.deepEqual(opened, []);
    assert.ok(!((await open("1.5.0")) instanceof Response));
  });

  test("one minor version apart is served, and so is a foreign client", async () => {
    for (const version of ["1.3.9", "1.5.0", undefined])
      assert.equal((await ask("/styr/v1/things", version)).status, 200);
  });

  test("the server's version is told to any styr", async () => {
    assert.equal((await ask("/styr/v1/version", "9.0.0")).status, 200);
  });
});
