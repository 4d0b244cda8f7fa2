import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ClientError } from "../client/client-error.ts";
import type { StyrClient } from "../client/styr-client.ts";
import type { RoutesReport } from "../model/route-row.ts";
import { curlWords } from "./curl-words.ts";

function words(url: string, wayIn: RoutesReport["wayIn"] | undefined): Promise<string> {
  const request = async () => {
    if (wayIn === undefined) throw new ClientError("not allowed", { status: 403 });
    return { routes: [], wayIn };
  };
  return curlWords({ request } as unknown as StyrClient, url, () => assert.fail("nothing is amiss"));
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

  test("a server that does not say is no missing right: it is said, and the URL is not shown as one that leads there", async () => {
    const said: string[] = [];
    const failing = (status?: number) => {
      const request = () => Promise.reject(new ClientError("no answer in 5 s", status === undefined ? {} : { status }));
      return curlWords({ request } as unknown as StyrClient, "http://shop.example.org", (each) => said.push(each));
    };
    assert.deepEqual([await failing(), await failing(503)], ["styr routes", "styr routes"]);
    const why = "where http://shop.example.org comes in could not be asked: no answer in 5 s";
    assert.deepEqual(said, [why, why]);
  });
});
