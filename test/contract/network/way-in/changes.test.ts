import assert from "node:assert/strict";
import { Agent } from "node:http";
import { connect as connectTcp } from "node:net";
import { after, before, describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { type Backing, Stage, until } from "./stage.ts";

/** Requests without a pause until it is ended; counts what was not answered with 200. */
function load(stage: Stage, host: string, keepAlive: boolean) {
  const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 4 }) : false;
  const failures: string[] = [];
  let [count, isOver] = [0, false];
  const one = async () => {
    while (!isOver) {
      const { status, body } = await stage
        .get(host, "/", { agent })
        .catch((error: Error) => ({ status: 0, body: error.message }));
      count++;
      if (status !== 200) failures.push(`${status} ${body}`);
    }
  };
  const all = Promise.all([one(), one(), one()]);
  return {
    failures,
    get count() {
      return count;
    },
    async end() {
      isOver = true;
      await all;
      if (agent) agent.destroy();
    },
  };
}

describe("the way in: changes:", () => {
  let stage: Stage;
  let [one, two]: Backing[] = [];
  before(async () => {
    stage = await Stage.open();
    [one, two] = [await stage.backing("one"), await stage.backing("two")];
    await stage.hear([...stage.serve("default/web", [{ at: one.port }]), stage.route("web.example.org")]);
  });
  after(() => stage.close());
  const at = (backing: Backing | undefined) => ({ at: backing?.port ?? 0 });

  test("endpoints come, drain and go without a new worker, and no request fails", async () => {
    const worker = await stage.worker();
    const traffic = load(stage, "web.example.org", true);
    await until("requests go", () => traffic.count > 20);
    for (let round = 0; round < 5; round++) {
      await stage.hear(stage.serve("default/web", [at(one), at(two)]));
      await stage.hear(stage.serve("default/web", [{ ...at(one), state: "draining" }, at(two)]));
      const before = one?.requests ?? 0;
      const counted = traffic.count;
      await until("the other answers", () => traffic.count > counted + 20);
      assert.ok((one?.requests ?? 0) - before <= 3, "one that drains takes no more than what was on its way");
      await stage.hear(stage.serve("default/web", [at(two)]));
      await stage.hear(stage.serve("default/web", [at(two), at(one)]));
      await stage.hear(stage.serve("default/web", [at(one)]));
    }
    await traffic.end();
    assert.deepEqual(traffic.failures, []);
    assert.equal(await stage.worker(), worker);
  });

  test("routes come and go under load: new workers, and no request fails", async () => {
    const worker = await stage.worker();
    const traffic = [load(stage, "web.example.org", true), load(stage, "web.example.org", false)];
    for (let round = 0; round < 4; round++) {
      const options = { timeoutServerMs: 30_000 + round };
      await stage.hear([stage.route(`r${round}.example.org`, { options })]);
      assert.equal((await stage.get(`r${round}.example.org`)).status, 200);
    }
    await stage.hear([], [{ kind: "route", id: "r1.example.org" }]);
    assert.equal((await stage.get("r1.example.org")).status, 404);
    for (const each of traffic) await each.end();
    assert.deepEqual(
      traffic.flatMap(({ failures }) => failures),
      [],
    );
    assert.ok(traffic.every(({ count }) => count > 20));
    assert.notEqual(await stage.worker(), worker);
  });

  test("options of a route change under load: it is what it was until it is what it shall be, and no request fails", async () => {
    const shared = { host: "web.example.org", path: "/", id: "web.example.org" };
    const traffic = [load(stage, "web.example.org", true), load(stage, "web.example.org", false)];
    for (const options of [
      { timeoutServerMs: 20_000 },
      { allowFrom: ["127.0.0.0/8"] },
      { denyFrom: ["10.0.0.0/8"] },
      {},
    ]) {
      await stage.hear([stage.route("web.example.org", { ...shared, options })]);
      const counted = traffic[0]?.count ?? 0;
      await until("requests go on", () => (traffic[0]?.count ?? 0) > counted + 10);
    }
    await stage.hear([stage.route("web.example.org")]);
    for (const each of traffic) await each.end();
    assert.deepEqual(
      traffic.flatMap(({ failures }) => failures),
      [],
    );
  });

  test("an endpoint that dies without goodbye costs no request", async () => {
    const dying = await stage.backing("dying");
    await stage.hear(stage.serve("default/web", [at(one), at(dying)]));
    const traffic = load(stage, "web.example.org", true);
    await until("it answers", () => dying.requests > 5);
    await dying.close();
    const counted = traffic.count;
    await until("requests go on", () => traffic.count > counted + 50);
    await traffic.end();
    assert.deepEqual(traffic.failures, []);
    await stage.hear(stage.serve("default/web", [at(one)]));
  });

  test("more endpoints than there is room for make a new worker, with room for more", async () => {
    const many = await Promise.all(Array.from({ length: 8 }, (_, n) => stage.backing(`many${n}`)));
    await stage.hear(stage.serve("default/web", many.map(at)));
    for (let n = 0; n < 24; n++) await stage.get("web.example.org");
    assert.ok(many.every(({ requests }) => requests > 0));
    await stage.hear(stage.serve("default/web", [at(one)]));
  });

  test("of nodes that are lost no endpoint is used while there are others; with none left they are tried", async () => {
    const { Touched } = await import("../../../../src/network/plane/touched.ts");
    await stage.hear([
      { kind: "node", id: "n2", address: "192.0.2.2" },
      ...stage.serve("default/web", [at(one), { ...at(two), node: "n2" }]),
    ]);
    const touched = new Touched();
    stage.state.setLost("n2", true, touched);
    await stage.part.apply(stage.state, touched);
    const before = two?.requests;
    for (let n = 0; n < 8; n++) await stage.get("web.example.org");
    assert.equal(two?.requests, before);
    await stage.hear(stage.serve("default/web", [{ ...at(two), node: "n2" }]));
    assert.equal((await stage.get("web.example.org")).body, "two GET /");
    const found = new Touched();
    stage.state.setLost("n2", false, found);
    await stage.part.apply(stage.state, found);
    await stage.hear(stage.serve("default/web", [at(one)]));
  });

  test("the same client comes to the same copy, where it is asked for", async () => {
    await stage.hear([
      ...stage.serve("default/sticky", [at(one), at(two)]),
      stage.route("sticky.example.org", { service: "default/sticky", options: { sticky: true } }),
    ]);
    const first = await stage.get("sticky.example.org");
    const cookie = String(first.headers["set-cookie"]).split(";")[0] ?? "";
    for (let n = 0; n < 6; n++)
      assert.equal((await stage.get("sticky.example.org", "/", { headers: { Cookie: cookie } })).body, first.body);
    // Its copy leaves: the other one takes over.
    const left = first.body.startsWith("one") ? two : one;
    await stage.hear(stage.serve("default/sticky", [at(left)]));
    const { status, body } = await stage.get("sticky.example.org", "/", { headers: { Cookie: cookie } });
    assert.equal(status, 200);
    assert.notEqual(body, first.body);
  });

  test("a WebSocket passes, and lives on through a change of routes", async () => {
    const backing = await stage.backing("socket");
    new WebSocketServer({ server: backing.server }).on("connection", (socket) =>
      socket.on("message", (text) => socket.send(`echo ${text}`)),
    );
    await stage.hear([
      ...stage.serve("default/ws", [at(backing)]),
      stage.route("ws.example.org", { service: "default/ws" }),
    ]);
    const socket = new WebSocket(`ws://127.0.0.1:${stage.http}/`, { headers: { Host: "ws.example.org" } });
    const heard: string[] = [];
    socket.on("message", (text) => heard.push(String(text)));
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    socket.send("before");
    const worker = await stage.worker();
    await stage.hear([stage.route("another.example.org", { options: { sticky: true } })]);
    assert.notEqual(await stage.worker(), worker);
    socket.send("after");
    await until("both are heard", () => heard.length === 2);
    assert.deepEqual(heard, ["echo before", "echo after"]);
    socket.close();
  });

  test("a client that sends its request too slowly is let go", async () => {
    const socket = connectTcp(stage.http, "127.0.0.1");
    const closed = new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("close", () => resolve(text));
    });
    socket.write("GET / HTTP/1.1\r\nHost: web.example.org\r\nX-Slow: ");
    assert.match(await closed, /^HTTP\/1\.1 408/);
  });

  test("an agent that comes back finds HAProxy as it left it: the same worker, and it hears what changed meanwhile", async () => {
    const worker = await stage.worker();
    await stage.part.stop();
    stage.part = stage.newPart();
    await stage.hear([]);
    const { Touched } = await import("../../../../src/network/plane/touched.ts");
    const all = new Touched();
    all.everything();
    await stage.part.apply(stage.state, all);
    assert.equal(await stage.worker(), worker);
    await stage.hear(stage.serve("default/web", [at(two)]));
    assert.equal((await stage.get("web.example.org")).body, "two GET /");
    assert.equal(await stage.worker(), worker);
  });

  test("an HAProxy that has ended is started again, by whoever looks", async () => {
    process.kill(await stage.worker(), "SIGKILL");
    await until(
      "requests are answered again",
      async () => {
        return (await stage.get("web.example.org").catch(() => ({ status: 0 }))).status === 200;
      },
      20_000,
    );
  });

  test("a node that is no way in any more ends it; a way in again, it is back", async () => {
    await stage.hear([{ kind: "node", id: "n1", address: "127.0.0.1" }]);
    await assert.rejects(stage.get("web.example.org"), /ECONNREFUSED/);
    assert.equal(stage.part.report().state, "off");
    await stage.hear([{ kind: "node", id: "n1", address: "127.0.0.1", isWayIn: true }]);
    assert.equal((await stage.get("web.example.org")).status, 200);
  });

  test("what passed is in the access log, and counted", async () => {
    await stage.get("web.example.org", "/seen-in-the-log");
    const { readFile } = await import("node:fs/promises");
    await until("the line is there", async () =>
      (await readFile(`${stage.dir}/way-in/access.log`, "utf8")).includes("/seen-in-the-log"),
    );
    const stats = (await stage.part.stats()) ?? [];
    const web = stats.find(({ name }) => name.startsWith("to-default-web"));
    assert.ok((web?.requests ?? 0) > 0);
    assert.ok((web?.answers["2xx"] ?? 0) > 0);
    assert.ok(stats.some(({ source }) => source === "all"));
  });
});
