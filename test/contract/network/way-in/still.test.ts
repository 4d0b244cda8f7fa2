/** A master that stands still: its worker serves on, is told where servers are, and hands over to another master's. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { processesWith } from "../../../../src/network/way-in/own-processes.ts";
import { Stage, until } from "./stage.ts";

describe("the way in: a master that stands still:", () => {
  let stage: Stage;
  let stopped: number[] = [];
  before(async () => {
    stage = await Stage.open();
  });
  after(() => stage.close());
  afterEach(() => {
    for (const pid of stopped)
      try {
        process.kill(pid, "SIGCONT");
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
      }
    stopped = [];
  });

  const ours = () => processesWith(`${stage.dir}/way-in/haproxy.cfg`);
  async function stopMaster(): Promise<number> {
    const pid = Number(await readFile(`${stage.dir}/way-in/haproxy.pid`, "utf8"));
    process.kill(pid, "SIGSTOP");
    stopped.push(pid);
    return pid;
  }

  test("endpoints and routes go on, a WebSocket lives, and when the old one goes on there is one HAProxy", async () => {
    const [one, two, socket] = [await stage.backing("one"), await stage.backing("two"), await stage.backing("socket")];
    new WebSocketServer({ server: socket.server }).on("connection", (each) =>
      each.on("message", (text) => each.send(`echo ${text}`)),
    );
    await stage.hear([
      ...stage.serve("default/web", [{ at: one.port }]),
      ...stage.serve("default/ws", [{ at: socket.port }]),
      ...[stage.route("web.example.org"), stage.route("ws.example.org", { service: "default/ws" })],
    ]);
    const client = new WebSocket(`ws://127.0.0.1:${stage.http}/`, { headers: { Host: "ws.example.org" } });
    const heard: string[] = [];
    client.on("message", (text) => heard.push(String(text)));
    await new Promise((resolve, reject) => client.on("open", resolve).on("error", reject));
    const old = await stopMaster();

    await stage.hear(stage.serve("default/web", [{ at: two.port }]));
    assert.equal((await stage.get("web.example.org")).body, "two GET /", "the worker is told itself");
    await stage.hear([stage.route("new.example.org")]);
    assert.equal((await stage.get("new.example.org")).body, "two GET /", "another master takes over");
    client.send("still here");
    await until("the WebSocket is answered", () => heard.length === 1);

    process.kill(old, "SIGCONT");
    client.close();
    await until("the old master and its worker have ended", async () => (await ours()).length === 2, 20_000);
    assert.equal((await stage.get("new.example.org")).body, "two GET /");
    assert.equal(stage.part.report().state, "working");
  });

  test("nothing has to change for another one to take over; a master that stays as it is is ended when its connections are", async () => {
    const old = await stopMaster();
    await until("another master", async () => (await stage.worker().catch(() => 0)) > 0, 30_000);
    await until("the old one is gone", async () => (await ours()).every(({ pid }) => pid !== old), 30_000);
    assert.equal((await ours()).length, 2);
    assert.equal((await stage.get("web.example.org")).status, 200);
  });

  test("an HAProxy that nobody has a pid file of is ended with a node's way in, and before another one starts", async () => {
    const { rm } = await import("node:fs/promises");
    const old = await stopMaster();
    await rm(`${stage.dir}/way-in/haproxy.pid`);
    await rm(`${stage.dir}/way-in/haproxy.sock`);
    await stage.hear([stage.route("third.example.org")]);
    assert.equal((await stage.get("third.example.org")).status, 200);
    assert.ok((await ours()).every(({ pid }) => pid !== old));
    await stopMaster();
    await rm(`${stage.dir}/way-in/haproxy.pid`);
    await stage.hear([{ kind: "node", id: "n1", address: "127.0.0.1" }]);
    assert.deepEqual(await ours(), []);
    await assert.rejects(stage.get("web.example.org"), /ECONNREFUSED/);
  });
});
