/** What a running HAProxy can be told makes no new worker; and new workers are made at a pace at which WebSockets of old ones live on. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import { Touched } from "../../../../src/network/plane/touched.ts";
import { processesWith } from "../../../../src/network/way-in/own-processes.ts";
import { certificate } from "./certificate.ts";
import { Stage, until } from "./stage.ts";

describe("the way in without a new worker:", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.open();
    const web = await stage.backing("web");
    await stage.hear([...stage.serve("default/web", [{ at: web.port }]), stage.route("web.example.org")]);
  });
  afterEach(() => stage.close());

  const status = async (host: string, path = "/") => (await stage.get(host, path)).status;
  const subject = (servername: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: stage.https, servername, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on("error", reject);
    });

  async function again(): Promise<void> {
    await stage.part.stop();
    stage.part = stage.newPart();
    const all = new Touched();
    all.everything();
    await stage.part.apply(stage.state, all);
  }

  test("hosts and paths of services that are routed to already come and go, and so do whole services", async () => {
    const other = await stage.backing("other");
    await stage.hear([
      ...stage.serve("default/other", [{ at: other.port }]),
      stage.route("other.example.org", { service: "default/other" }),
    ]);
    const worker = await stage.worker();
    await stage.hear([stage.route("b.example.org"), stage.route("web.example.org", { path: "/x", pathType: "exact" })]);
    assert.equal(await status("b.example.org"), 200);
    await stage.hear([stage.route("b.example.org", { service: "default/other" })]);
    assert.equal((await stage.get("b.example.org")).body, "other GET /", "a route that leads elsewhere");
    await stage.hear([], [{ kind: "route", id: "b.example.org" }]);
    assert.equal(await status("b.example.org"), 404);
    await stage.hear([], [{ kind: "route", id: "other.example.org" }]);
    assert.equal(await status("other.example.org"), 404);
    assert.equal(await stage.worker(), worker);
  });

  test("paths come and go in place of which another one is put, also after an agent came back", async () => {
    const options = { rewritePath: "/put" };
    await stage.hear([stage.route("b.example.org", { path: "/a", options })]);
    const worker = await stage.worker();
    await stage.hear([stage.route("b.example.org", { path: "/a/bcd", options })]);
    assert.equal((await stage.get("b.example.org", "/a/bcd/x")).body, "web GET /put/x");
    await again();
    assert.equal((await stage.get("b.example.org", "/a/bcd/x")).body, "web GET /put/x");
    await stage.hear([], [{ kind: "route", id: "b.example.org/a/bcd" }]);
    assert.equal((await stage.get("b.example.org", "/a/bcd/x")).body, "web GET /put/bcd/x");
    assert.equal(await stage.worker(), worker);
  });

  test("an agent that comes back knows what its predecessor told", async () => {
    await stage.hear([stage.route("b.example.org"), stage.route("c.example.org")]);
    const worker = await stage.worker();
    await again();
    assert.equal(await status("c.example.org"), 200);
    await stage.hear([], [{ kind: "route", id: "c.example.org" }]);
    assert.equal(await status("c.example.org"), 404);
    assert.equal(await status("b.example.org"), 200);
    assert.equal(await stage.worker(), worker);
  });

  test("a path with signs that end a command is told as any other", async () => {
    const worker = await stage.worker();
    await stage.hear([
      stage.route("web.example.org", { path: "/a;b", pathType: "exact" }),
      stage.route("d.example.org"),
    ]);
    assert.equal(await status("web.example.org", "/a;b"), 200);
    assert.equal(await status("d.example.org"), 200);
    assert.equal(await stage.worker(), worker);
  });

  test("certificates come, are renewed and go", async () => {
    const secured = (version: string) => stage.route("web.example.org", { tls: { secret: "default/tls", version } });
    const worker = await stage.worker();
    for (const name of ["first", "second"]) {
      stage.secrets["default/tls"] = certificate(name);
      await stage.hear([secured(name)]);
      assert.equal(await subject("web.example.org"), name);
    }
    await again();
    assert.equal(await subject("web.example.org"), "second");
    const folder = `${stage.dir}/way-in`;
    const inForce = readdirSync(folder).find((name) => name.startsWith("of-"));
    const list = readFileSync(`${folder}/${inForce}/certificates.list`, "utf8").trim().split("\n");
    assert.equal(list.length, 2, "what it would read if it were started again is what it was told");
    assert.ok(list.every((line) => existsSync(line.split(" ")[0] ?? "")));
    await stage.hear([stage.route("web.example.org")]);
    assert.equal(await subject("web.example.org"), "styrmann default certificate");
    assert.equal(await stage.worker(), worker);
  });

  test("a chain that is too long for a command takes a new worker", async () => {
    const ca = certificate("ca", ["-newkey", "rsa:4096"])["tls.crt"];
    const worker = await stage.worker();
    for (const [name, length] of [
      ["short", 5],
      ["long", 12],
    ] as const) {
      const { "tls.crt": own, "tls.key": key } = certificate(name);
      stage.secrets["default/tls"] = { "tls.crt": own + ca.repeat(length), "tls.key": key };
      await stage.hear([stage.route("web.example.org", { tls: { secret: "default/tls", version: name } })]);
      assert.equal(await subject("web.example.org"), name);
      assert.equal((await stage.worker()) === worker, name === "short");
    }
  });

  test("thirty new services in a row end no WebSocket: the first are served at once, the others wait, and say so", async () => {
    const socket = await stage.backing("socket");
    new WebSocketServer({ server: socket.server }).on("connection", (each) =>
      each.on("message", (text) => each.send(`echo ${text}`)),
    );
    await stage.hear([
      ...stage.serve("default/ws", [{ at: socket.port }]),
      stage.route("ws.example.org", { service: "default/ws" }),
    ]);
    const heard: string[] = [];
    const clients: WebSocket[] = [];
    for (let n = 0; n < 30; n++) {
      const client = new WebSocket(`ws://127.0.0.1:${stage.http}/`, { headers: { Host: "ws.example.org" } });
      client.on("message", (text) => heard.push(String(text)));
      await new Promise((resolve, reject) => client.on("open", resolve).on("error", reject));
      clients.push(client);
      await stage.hear([
        ...stage.serve(`default/s${n}`, [{ at: socket.port }]),
        stage.route(`h${n}.example.org`, { service: `default/s${n}` }),
      ]);
    }
    for (const [n, client] of clients.entries()) client.send(`${n}`);
    await until("every WebSocket answers", () => heard.length === 30);
    const processes = await processesWith(`${stage.dir}/way-in/haproxy.cfg`);
    assert.ok(processes.length <= 9, `${processes.length} processes`);
    assert.notEqual(await status("h1.example.org"), 404);
    assert.equal(await status("h29.example.org"), 404);
    assert.match(stage.part.report().words ?? "", /new routes wait for another \d+ s: connections \(WebSockets\)/);
    assert.match(stage.part.report().lateHosts?.["h29.example.org"] ?? "", /new routes wait/);
    assert.equal(stage.part.report().lateHosts?.["h1.example.org"], undefined);
    await stage.hear([stage.route("quick.example.org")]);
    assert.equal(await status("quick.example.org"), 200, "what needs no worker does not wait");
    for (const client of clients) client.terminate();
    await until("all are served", async () => (await status("h29.example.org")) !== 404, 20_000);
    assert.equal(stage.part.report().words, undefined);
  });
});
