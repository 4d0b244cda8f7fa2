import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { notFound, renderError } from "../../src/api/errors.ts";
import { LARGEST_BODY_BYTES } from "../../src/http/limited-body.ts";
import { mountApis, type Served } from "../../src/http/mount.ts";
import type { Route } from "../../src/http/route.ts";

const connection = { actor: { name: "ann", roles: ["admin"] }, remoteAddress: "local", origin: "http://x" } as const;
const MOST_BYTES = 1024;

/** POST /small reads its body, POST /usual too; both say how long it was. */
function mounted() {
  const served: Served[] = [];
  const bugs: unknown[] = [];
  let read = 0;
  const at = (path: string, more: Partial<Route> = {}): Route => ({
    ...{ method: "POST", path, access: { verb: "write", resource: "things" } },
    async handle(request) {
      read++;
      return new Response(String((await request.arrayBuffer()).byteLength));
    },
    ...more,
  });
  const routes = [at("/small", { mostBytes: MOST_BYTES }), at("/usual")];
  const api = { name: "x", prefixes: ["/"], routes, renderError, notFound };
  const all = mountApis(
    [api],
    (one) => served.push(one),
    (error) => bugs.push(error),
  );
  const post = (path: string, init: RequestInit & { readonly duplex?: "half" }) =>
    all.handle(new Request(`http://x${path}`, { method: "POST", ...init }), connection);
  return { served, bugs, post, reads: () => read };
}

const announced = (bytes: number) => ({ body: new Uint8Array(10), headers: { "Content-Length": String(bytes) } });
const inChunks = (bytes: number) => ({
  body: new Blob([new Uint8Array(bytes)]).stream(),
  headers: { "Transfer-Encoding": "chunked" },
  duplex: "half" as const,
});

describe("a body", () => {
  test("that is announced as more than its route takes is refused before anything of it is read", async () => {
    const { post, reads } = mounted();
    const answer = await post("/small", announced(MOST_BYTES + 1));
    assert.equal(answer.status, 413);
    assert.match(await answer.text(), /1025 bytes; the limit is 1 KiB here/);
    assert.equal(reads(), 0);
    assert.equal((await post("/usual", announced(MOST_BYTES + 1))).status, 200);
    assert.equal((await post("/usual", announced(LARGEST_BODY_BYTES + 1))).status, 413);
  });

  test("in chunks ends where its route takes no more", async () => {
    const { post } = mounted();
    assert.equal((await post("/small", inChunks(MOST_BYTES + 1))).status, 413);
    assert.equal(await (await post("/small", inChunks(MOST_BYTES))).text(), String(MOST_BYTES));
  });

  test("that its client breaks off is no bug, and is not logged as one", async () => {
    const { post, served, bugs } = mounted();
    const going = new AbortController();
    const body = new ReadableStream({
      pull() {
        going.abort();
        throw new Error("aborted");
      },
    });
    await post("/small", { body, signal: going.signal, duplex: "half", headers: { "Transfer-Encoding": "chunked" } });
    assert.deepEqual([served[0]?.status, served[0]?.reason], [400, "BadRequest"]);
    assert.deepEqual(bugs, []);
  });
});
