/** WebSockets that are led on to the leader: when it changes, when nobody waits any more, when one side does not read. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { openPki, type Pki } from "../../src/app/pki.ts";
import { Forwarder } from "../../src/app/server/forwarder.ts";
import { LeaderWatch } from "../../src/app/server/leader-watch.ts";
import type { RequestContext, Socket } from "../../src/http/route.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import type { ServerIdentity } from "../../src/store/journal.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { ToldJournal } from "./told-journal.ts";

const MIB = 1024 * 1024;

class CountingClock extends SystemClock {
  timers = 0;

  override setTimer(ms: number, act: () => void) {
    this.timers++;
    return super.setTimer(ms, act);
  }
}

/** A client's side of the way, as the listener gives it. */
class Client implements Socket {
  readonly protocol = "";
  bufferedBytes = 0;
  isPaused = false;
  closed: number | undefined;
  say: (data: Uint8Array) => void = () => {};
  leave: () => void = () => {};
  send(): void {}
  close(code?: number): void {
    this.closed = code ?? 1000;
  }
  onMessage(listener: (data: Uint8Array | string) => void): void {
    this.say = listener;
  }
  onClose(listener: () => void): void {
    this.leave = listener;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
}

describe("a WebSocket that is led on", () => {
  const clock = new CountingClock();
  let dir: string;
  let pki: Pki;
  let journal: ToldJournal;
  let forwarder: Forwarder;
  let good: Server;
  let frozen: TcpServer;
  let there: WebSocket[] = [];

  const identityAt = (name: string, server: Server | TcpServer): ServerIdentity => ({
    name,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    version: "1",
  });
  const asked = (signal = new AbortController().signal) => {
    const request = new Request("https://f/styr/v1/x");
    const context: RequestContext = {
      actor: { name: "a", roles: ["admin"] },
      params: {},
      url: new URL(request.url),
      signal,
      origin: "https://f",
      remoteAddress: "192.0.2.1",
    };
    return forwarder.openSocket(request, context);
  };
  const until = async (what: string, isSo: () => boolean) => {
    for (let tries = 0; !isSo(); tries++) {
      assert.ok(tries < 1000, `never: ${what}`);
      await sleep(10);
    }
  };

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "styr-bridge-"));
    pki = await openPki(dir, Date.now(), { serverName: "f" });
    const { certPem: cert, keyPem: key, caPem: ca } = pki.server;
    good = createServer({ cert, key, ca, requestCert: true });
    new WebSocketServer({ server: good }).on("connection", (socket) => there.push(socket));
    frozen = createTcp(() => {});
    for (const server of [good, frozen]) await once(server.listen(0, "127.0.0.1"), "listening");
    const leaders = new LeaderWatch(clock);
    journal = new ToldJournal(new SharedMemory(clock));
    leaders.follow(journal);
    forwarder = new Forwarder({ leaders, clock, material: () => pki.peer, waitFor: async () => {} });
  });
  afterEach(() => {
    for (const socket of there) socket.terminate();
    there = [];
  });
  after(async () => {
    journal.lead(undefined);
    forwarder.close();
    good.close().closeAllConnections();
    frozen.close();
    await rm(dir, { recursive: true });
  });

  test("a leader that stands still is left as soon as another one leads", { timeout: 8_000 }, async () => {
    journal.lead(identityAt("one", frozen));
    const opened = asked();
    await sleep(100);
    journal.lead(identityAt("two", good));
    const take = await opened;
    assert.ok(typeof take === "function");
    take(new Client());
  });

  test("of a client that leaves meanwhile nothing stays open at the leader", { timeout: 8_000 }, async () => {
    journal.lead(identityAt("one", frozen));
    const left = new AbortController();
    const opened = asked(left.signal);
    await sleep(50);
    left.abort();
    await assert.rejects(opened, /the client has gone/);
    journal.lead(identityAt("two", good));
    const late = new AbortController();
    const second = asked(late.signal).then(
      (take) => typeof take === "function" && take(Object.assign(new Client(), { onClose: (l: () => void) => l() })),
      () => undefined,
    );
    late.abort();
    await second;
    await until("the leader is rid of it", () => there.every(({ readyState }) => readyState === 3));
  });

  test("a leader that does not read holds the client up, and once it is gone nobody looks after it any more", async () => {
    journal.lead(identityAt("two", good));
    const take = await asked();
    assert.ok(typeof take === "function");
    const client = new Client();
    take(client);
    await until("the leader has it", () => there.length === 1);
    there[0]?.pause();
    for (let sent = 0; sent < 16; sent++) client.say(new Uint8Array(MIB));
    await until("the client is held", () => client.isPaused);
    journal.lead(identityAt("three", frozen));
    for (let sent = 0; sent < 3; sent++) client.say(new Uint8Array(MIB));
    await until("the client reads on", () => !client.isPaused);
    const before = clock.timers;
    await sleep(300);
    assert.ok(clock.timers - before < 5, `${clock.timers - before} timers`);
    there[0]?.terminate();
    await until("the client is told", () => client.closed !== undefined);
  });

  test("a client that does not read holds the leader up", async () => {
    journal.lead(identityAt("two", good));
    const take = await asked();
    assert.ok(typeof take === "function");
    const client = new Client();
    let heard = 0;
    client.send = () => {
      heard++;
      client.bufferedBytes = 2 * MIB;
    };
    take(client);
    await until("the leader has it", () => there.length === 1);
    for (let sent = 0; sent < 64; sent++) there[0]?.send(new Uint8Array(MIB));
    await until("something is heard", () => heard > 0);
    await sleep(300);
    const held = heard;
    assert.ok(held < 32, `${held} messages of 64 for one who reads none`);
    client.send = () => void heard++;
    client.bufferedBytes = 0;
    await until("the rest is heard", () => heard === 64);
    client.leave();
  });
});
