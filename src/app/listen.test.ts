import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { bind, isFromAPage } from "./listen.ts";

test("connections that cannot be accepted end no listener and no process", async () => {
  const server = createServer();
  await bind(server, { host: "127.0.0.1", port: 0 });
  for (let n = 0; n < 3; n++) server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
  assert.equal(server.listening, true);
  await new Promise((resolve) => server.close(resolve));
});

describe("a request on the plain listener", () => {
  const table: readonly { readonly why: string; readonly headers: Record<string, string>; readonly page: boolean }[] = [
    { why: "curl by address", headers: { host: "127.0.0.1:8080" }, page: false },
    { why: "a client by name", headers: { host: "localhost:8080" }, page: false },
    { why: "IPv6 loopback", headers: { host: "[::1]:8080" }, page: false },
    {
      why: "a page of our own origin",
      headers: { host: "localhost:8080", origin: "http://localhost:8080" },
      page: false,
    },
    { why: "a name that somebody pointed at 127.0.0.1", headers: { host: "evil.example:8080" }, page: true },
    { why: "a name that only begins like the address", headers: { host: "127.0.0.1.evil.example" }, page: true },
    {
      why: "another origin posting to us",
      headers: { host: "127.0.0.1:8080", origin: "https://evil.example" },
      page: true,
    },
    { why: "a sandboxed page", headers: { host: "127.0.0.1:8080", origin: "null" }, page: true },
    { why: "no host at all", headers: {}, page: true },
  ];
  for (const { why, headers, page } of table) {
    test(`${why}: ${page ? "nobody's" : "taken"}`, () => assert.equal(isFromAPage({ headers }), page));
  }
});
