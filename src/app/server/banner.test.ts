import assert from "node:assert/strict";
import { test } from "node:test";
import { listeningWords, placeWords } from "./banner.ts";

test("a server that listens at every address does not look as if it were on this machine alone", () => {
  const urls = ["https://127.0.0.1:7443", "http://127.0.0.1:8080"];
  const all = listeningWords({ host: "0.0.0.0", socketPath: "/s.sock" }, urls);
  assert.equal(all, "https://127.0.0.1:7443 (and at every other address of this host)  http://127.0.0.1:8080  /s.sock");
  const one = listeningWords({ host: "127.0.0.1", socketPath: "/s.sock" }, urls);
  assert.equal(one, "https://127.0.0.1:7443  http://127.0.0.1:8080  /s.sock");
});

test("a server says where its store is", () => {
  assert.equal(placeWords({ stateDir: "/v" }, { url: "sqlite" }), "/v/store.db");
});
