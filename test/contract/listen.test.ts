/** What strangers do to sockets must not end the process, and must leave nothing behind. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, type Socket as NetSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { type Listening, listenPlain, listenTls } from "../../src/app/listen.ts";
import { openPki } from "../../src/app/pki.ts";
import { mountApis } from "../../src/http/mount.ts";
import type { Api } from "../../src/http/route.ts";

let opened = 0;
/** What was begun for a client and not ended. */
let begun = 0;
const api: Api = {
  name: "echo",
  prefixes: ["/echo"],
  routes: [
    { method: "GET", path: "/echo", access: { verb: "read", resource: "echo" }, handle: () => new Response("here") },
  ],
  sockets: [
    {
      path: "/echo/socket",
      access: { verb: "exec", resource: "echo" },
      protocols: [],
      open: async () => {
        opened++;
        return (socket) => socket.onMessage((data) => socket.send(data));
      },
    },
    {
      path: "/echo/slow",
      access: { verb: "exec", resource: "echo" },
      protocols: [],
      open: async () => {
        begun++;
        await sleep(20);
        return (socket) => socket.onClose(() => begun--);
      },
    },
  ],
  renderError: (error) => new Response(String(error), { status: (error as { status?: number }).status ?? 500 }),
  notFound: () => new Response("no", { status: 404 }),
};

describe("a listener", () => {
  let listening: Listening;
  let port: number;

  before(async () => {
    listening = await listenPlain(mountApis([api]), { host: "127.0.0.1", port: 0 });
    port = Number(new URL(listening.url).port);
  });
  after(() => listening.close());

  const lives = async () => assert.equal(await (await fetch(`${listening.url}/echo`)).text(), "here");

  /** Sends bytes and gives all that comes back until the other side closes. */
  const say = (bytes: string | Buffer, then: (socket: NetSocket) => void = () => {}) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port });
      let heard = "";
      socket.on("connect", () => socket.write(bytes, () => then(socket)));
      socket.on("data", (data) => (heard += data));
      socket.on("error", () => resolve(heard));
      socket.on("close", () => resolve(heard));
    });

  const handshake = (path: string, key = "dGhlIHNhbXBsZSBub25jZQ==") =>
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;

  test("an upgrade to a path that is no URL is answered with 400", async () => {
    assert.match(await say(handshake("//")), /^HTTP\/1\.1 400 /);
    await lives();
  });

  test("what was begun for a client that leaves while it upgrades is ended", async () => {
    for (let ms = 0; ms < 40; ms += 2)
      await say(handshake("/echo/slow"), (socket) => setTimeout(() => socket.destroy(), ms));
    for (let tries = 0; begun > 0; tries++) {
      assert.ok(tries < 300, `${begun} of 20 go on`);
      await sleep(10);
    }
    await lives();
  });

  test("a client that resets while it upgrades harms nobody", async () => {
    for (let n = 0; n < 20; n++) await say(handshake("/echo/socket"), (socket) => socket.resetAndDestroy());
    await lives();
  });

  test("a handshake that WebSocket forbids opens nothing", async () => {
    const before = opened;
    assert.match(await say(handshake("/echo/socket", "bad")), /^HTTP\/1\.1 400 /);
    assert.equal(opened, before);
  });

  test("an unmasked frame closes that socket and no other", async () => {
    await say(handshake("/echo/socket"), (socket) => socket.write(Buffer.from([0x81, 0x02, 0x68, 0x69])));
    await lives();
  });

  test("a message beyond the limit closes that socket and no other", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/echo/socket`);
    await new Promise((resolve) => socket.on("open", resolve));
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => {});
    socket.send(Buffer.alloc(2 * 1024 * 1024));
    await closed;
    await lives();
  });

  test("a page of another origin gets no socket", async () => {
    const before = opened;
    const answer = await say(handshake("/echo/socket").replace("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n"));
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.equal(opened, before);
  });

  test("clients that never close after their upgrade was refused are let go", async () => {
    const before = descriptors();
    const clients = Array.from({ length: 5 }, () => connect({ host: "127.0.0.1", port, allowHalfOpen: true }));
    for (const socket of clients) {
      socket.on("error", () => socket.destroy());
      socket.write(handshake("/echo/socket", "bad"));
    }
    await Promise.all(clients.map((socket) => new Promise((resolve) => socket.on("end", resolve).resume())));
    await descriptorsBelow(before + clients.length + 3);
    for (const socket of clients) socket.destroy();
    await lives();
  });
});

describe("a listener with TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "styr-listen-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("keeps nothing of clients that connect, say nothing and go, and stops", async () => {
    const pki = await openPki(folder, Date.now());
    const listening = await listenTls(mountApis([api]), pki, { host: "127.0.0.1", port: 0 });
    const port = Number(new URL(listening.url).port);
    const before = descriptors();
    const strange = ["", "GET / HTTP/1.1\r\n\r\n"];
    for (let n = 0; n < 40; n++) await comeAndGo(port, strange[n % 2] ?? "");
    await descriptorsBelow(before + 5);
    const stopped = listening.close().then(() => "stopped");
    assert.equal(await Promise.race([stopped, sleep(5_000, "hangs", { ref: false })]), "stopped");
  });
});

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

async function descriptorsBelow(most: number): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (descriptors() > most && Date.now() < deadline) await sleep(20);
  assert.ok(descriptors() <= most, `${descriptors()} descriptors are open, at most ${most} were expected`);
}

function comeAndGo(port: number, words: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => (words === "" ? socket.destroy() : socket.end(words)));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve());
    socket.resume();
  });
}
