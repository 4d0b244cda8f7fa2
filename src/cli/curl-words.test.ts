import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StyrClient } from "../client/styr-client.ts";
import type { RoutesReport } from "../model/route-row.ts";
import { curlWords } from "./curl-words.ts";

function words(url: string, wayIn: RoutesReport["wayIn"] | undefined): Promise<string> {
  const request = async () => {
    if (wayIn === undefined) throw new Error("not allowed");
    return { routes: [], wayIn };
  };
  return curlWords({ request } as unknown as StyrClient, url);
}

const IN = [
  { node: "h1", address: "192.0.2.1", trouble: "HAProxy is not there" },
  { node: "h2", address: "192.0.2.2" },
];

describe("how a URL is tried:", () => {
  test("an address as it is", async () =>
    assert.equal(await words("http://192.0.2.9:8080", IN), "curl http://192.0.2.9:8080"));

  test("a host's name at a way-in node that works, as the name need not lead there yet", async () => {
    assert.equal(
      await words("http://shop.example.org/a", IN),
      "curl --resolve shop.example.org:80:192.0.2.2 http://shop.example.org/a",
    );
    assert.equal(
      await words("https://*.example.org", IN),
      "curl --resolve www.example.org:443:192.0.2.2 https://www.example.org",
    );
  });

  test("as it is for who may not read routes, and where nothing comes in", async () => {
    assert.equal(await words("http://shop.example.org", undefined), "curl http://shop.example.org");
    assert.equal(await words("http://shop.example.org", []), "curl http://shop.example.org");
  });
});
