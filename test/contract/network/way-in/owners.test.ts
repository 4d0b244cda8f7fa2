/** What comes to a host goes to nobody but its owner, whatever others have routes for and clients write. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import type { RouteEntry } from "../../../../src/model/network.ts";
import { Stage } from "./stage.ts";

const PROOF = "/.well-known/acme-challenge/token";

describe("the way in: whose a host is:", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
    const names = ["bank", "login", "evil"] as const;
    const served = await Promise.all(
      names.map(async (name) =>
        stage.serve(`${name === "evil" ? "shop" : "bank"}/${name}`, [{ at: (await stage.backing(name)).port }]),
      ),
    );
    const route = (host: string, service: string, since: string, more: Partial<RouteEntry> = {}) =>
      stage.route(host, {
        service,
        since,
        id: `${service} ${host}${more.path ?? ""}`,
        source: `Ingress ${service}`,
        ...more,
      });
    await stage.hear([
      ...served.flat(),
      route("bank.example", "bank/bank", "1", { path: "/shop" }),
      route("bank.example", "bank/login", "1", { path: "/login" }),
      route("open.bank.example", "bank/bank", "1"),
      route("*.bank.example", "bank/bank", "1", { path: "/below" }),
      route("bank.example", "shop/evil", "2", { path: "/shop/basket" }),
      route("new.bank.example", "shop/evil", "2"),
      route("*.example", "shop/evil", "2"),
      route("", "shop/evil", "2"),
      route("", "bank/bank", "2", { path: "/bank" }),
      route("shared.example", "bank/bank", "1", { sharesHostWith: ["shop"] }),
      route("shared.example", "shop/evil", "2", { path: "/o" }),
      route("shared.example", "other/evil", "2", { path: "/x" }),
      route("shared.example", "shop/evil", "3", { path: "/granted", isGranted: true }),
      route("granted.bank.example", "shop/evil", "2", { isGranted: true }),
    ]);
  });
  after(() => stage.close());

  const ROWS: readonly (readonly [why: string, host: string, path: string, answer: RegExp])[] = [
    ["its owner answers", "bank.example", "/shop/basket", /^bank GET/],
    ["what it has no route for, no wildcard of others answers", "bank.example", "/other", /^nothing is reached/],
    ["nor do others get its proofs", "bank.example", PROOF, /^nothing is reached/],
    ["nor does every host's route, for a name below its wildcard", "x.bank.example", "/", /^nothing is reached/],
    ["nor a later route for such a name", "new.bank.example", "/", /^nothing is reached/],
    ["its own wildcard does", "new.bank.example", "/below", /^bank GET/],
    ["and its own route of every host", "bank.example", "/bank", /^bank GET/],
    ["its own program may prove it", "open.bank.example", PROOF, /^bank GET/],
    ["hosts that are nobody's are everybody's", "example.net", "/", /^evil GET/],
    ["who is let in by its owner has a part of it", "shared.example", "/o/x", /^evil GET/],
    ["who is let in for the whole cluster, too", "shared.example", "/granted", /^evil GET/],
    ["also below a wildcard of others", "granted.bank.example", "/x", /^evil GET/],
    ["the rest is the owner's", "shared.example", "/", /^bank GET/],
    ["who is not let in has nothing", "shared.example", "/x", /^bank GET/],
    ["nor has who is let in its proofs", "shared.example", PROOF, /^bank GET/],
    ["a wildcard's names, too", "a.example", "/", /^evil GET/],
  ];
  for (const [why, host, path, answer] of ROWS)
    test(`${why}: ${host}${path}`, async () => assert.match((await stage.get(host, path)).body, answer));

  /** The whole answer to a request with these lines of Host. */
  function raw(...lines: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(stage.http, "127.0.0.1");
      let text = "";
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("error", reject).on("close", () => resolve(text));
      socket.write(`GET /shop HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join("")}Connection: close\r\n\r\n`);
    });
  }

  test("a Host that is more than a name and a port is refused: it would choose the route whose rules are asked", async () => {
    for (const host of [
      "bank.example/login",
      "bank.example/login:80",
      "bank.example,x",
      "a b",
      "bank.example?x",
      "user@bank.example",
    ])
      assert.match(await raw(`Host: ${host}`), /^HTTP\/1\.1 400/, host);
    assert.match(await raw("Host: bank.example", "Host: open.bank.example"), /^HTTP\/1\.1 400/);
    assert.match(await raw("Host: bank.example:8080"), /bank GET \/shop/);
  });
});
