/** Whatever leads back to the way in: one request of it takes nothing from the others. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { type Backing, Stage } from "./stage.ts";

describe("the way in: services that lead back to it:", () => {
  let stage: Stage;
  let proxy: Backing;
  before(async () => {
    stage = await Stage.open();
    const web = await stage.backing("web", ({ headers }, response) => response.end(JSON.stringify(headers)));
    // A program that passes everything on to the way in, as a proxy of a user's may.
    proxy = await stage.backing("proxy", ({ method, headers, url }, response) => {
      const { connection: _, ...kept } = headers;
      const on = request({ host: "127.0.0.1", port: stage.http, method, path: url, headers: kept, agent: false });
      on.on("response", (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 0)));
      on.on("error", () => response.destroy());
      on.end();
    });
    await stage.hear([
      ...stage.serve("default/web", [{ at: web.port }]),
      ...stage.serve("default/proxy", [{ at: proxy.port }]),
      ...stage.serve("default/itself", [{ at: stage.http }]),
      stage.route("web.example.org"),
      stage.route("proxy.example.org", { service: "default/proxy" }),
      stage.route("itself.example.org", { service: "default/itself" }),
    ]);
  });
  after(() => stage.close());

  test("what is the way in itself is none of its servers, and it says so", async () => {
    assert.equal((await stage.get("itself.example.org")).status, 503);
    const { routeTroubles = {} } = stage.part.report();
    assert.deepEqual(Object.keys(routeTroubles), ["itself.example.org/"]);
    assert.match(stage.part.report().words ?? "", new RegExp(`127.0.0.1:${stage.http} is the way in of n1 itself`));
  });

  test("a request that comes in again and again is ended with 508, in words, and others are served", async () => {
    const { status, body } = await stage.get("proxy.example.org");
    assert.equal(status, 508);
    assert.match(body, /leads back/);
    assert.equal(proxy.requests, 8);
    assert.equal((await stage.get("web.example.org")).status, 200);
  });

  test("clients can neither count for it, nor have programs behind forget who they are and how often they came in", async () => {
    const headers = { "CDN-Loop": "other", Connection: "close, X-Forwarded-For, CDN-Loop" };
    const seen = JSON.parse((await stage.get("web.example.org", "/", { headers })).body);
    assert.equal(seen["cdn-loop"], "other, styrmann");
    assert.equal(seen["x-forwarded-for"], "127.0.0.1");
    assert.doesNotMatch(seen.connection ?? "", /cdn-loop|forwarded/i);
  });
});
