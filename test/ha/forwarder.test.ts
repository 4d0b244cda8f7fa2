/** What a follower does when the leader does not answer as it should: a leader of the test's own making, on real sockets. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { openPki, type Pki } from "../../src/app/pki.ts";
import { Forwarder } from "../../src/app/server/forwarder.ts";
import { LeaderWatch } from "../../src/app/server/leader-watch.ts";
import { PeerConnections } from "../../src/app/server/peer-request.ts";
import type { RequestContext } from "../../src/http/route.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import type { ServerIdentity } from "../../src/store/journal.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { ToldJournal } from "./told-journal.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe("a request that is passed on", () => {
  const clock = new SystemClock();
  const servers: Server[] = [];
  let dir: string;
  let pki: Pki;
  let journal: ToldJournal;
  let forwarder: Forwarder;
  let waited: number[] = [];
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "styr-forward-"));
    pki = await openPki(dir, Date.now(), { serverName: "f" });
    const leaders = new LeaderWatch(clock);
    journal = new ToldJournal(new SharedMemory(clock));
    leaders.follow(journal);
    const waitFor = async (revision: number) => void waited.push(revision);
    forwarder = new Forwarder({ leaders, clock, material: () => pki.peer, waitFor });
  });
  afterEach(() => {
    journal.lead(undefined);
    waited = [];
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });
  after(async () => {
    forwarder.close();
    await rm(dir, { recursive: true });
  });

  async function leader(name: string, handler: Handler): Promise<ServerIdentity> {
    const { certPem: cert, keyPem: key, caPem: ca } = pki.server;
    const server = createServer({ cert, key, ca, requestCert: true }, handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { name, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, version: "0.1.0" };
  }

  function pass(method: string, body?: string, signal = new AbortController().signal): Promise<Response> {
    const request = new Request("https://f.example/v2/apps?x=1", { method, ...(body === undefined ? {} : { body }) });
    const context: RequestContext = {
      ...{ actor: { name: "eve", roles: ["operator"] }, params: {}, url: new URL(request.url), signal },
      ...{ origin: "https://f.example", remoteAddress: "10.0.0.9" },
    };
    return forwarder.forward(request, context);
  }

  const answer =
    (text: string, headers: Record<string, string> = {}): Handler =>
    (request, response) => {
      request.resume().on("end", () => response.writeHead(201, { "x-own": "1", ...headers }).end(text));
    };

  test("comes whole, without the client's proof, and its answer goes back as it is once this server has its revision", async () => {
    let seen: IncomingMessage | undefined;
    const one = await leader("one", (request, response) => {
      seen = request;
      answer("made", { "styrmann-revision": "17" })(request, response);
    });
    journal.lead(one);
    const response = await pass("POST", '{"id":"/a"}');
    assert.equal(response.status, 201);
    assert.equal(await response.text(), "made");
    assert.equal(response.headers.get("x-own"), "1");
    assert.equal(response.headers.get("styrmann-revision"), null);
    assert.deepEqual(waited, [17]);
    assert.equal(seen?.url, "/v2/apps?x=1");
    assert.equal(seen?.headers.authorization, undefined);
    assert.match(Buffer.from(String(seen?.headers["styrmann-actor"]), "base64url").toString(), /"eve".*10\.0\.0\.9/);
  });

  test("a write whose answer is lost is not sent again, and its client hears that nobody knows", async () => {
    let times = 0;
    const one = await leader("one", (request) => {
      request.resume().on("end", () => {
        times++;
        request.socket.destroy();
      });
    });
    journal.lead(one);
    await assert.rejects(pass("POST", "{}"), { reason: "Timeout", message: /not known whether it was carried out/ });
    assert.equal(times, 1);
  });

  test("a read whose answer is lost is asked again", async () => {
    let times = 0;
    const one = await leader("one", (request, response) => {
      if (++times < 3) request.socket.destroy();
      else answer("read")(request, response);
    });
    journal.lead(one);
    assert.equal(await (await pass("GET")).text(), "read");
  });

  test("a server that does not lead any more has done nothing: the next one gets it", async () => {
    const two = await leader("two", answer("by two"));
    const one = await leader("one", (request, response) => {
      request.resume();
      response.writeHead(503, { "styrmann-not-leading": "1" }).end();
      journal.lead(two);
    });
    journal.lead(one);
    assert.equal(await (await pass("POST", "{}")).text(), "by two");
  });

  test("a server that does not listen has done nothing: the next one gets it", async () => {
    const two = await leader("two", answer("by two"));
    journal.lead({ name: "gone", url: "https://127.0.0.1:1", version: "0.1.0" });
    const passed = pass("POST", "{}");
    clock.setTimer(200, () => journal.lead(two));
    assert.equal(await (await passed).text(), "by two");
  });

  test("a leader that stands still is given up when another leads: reads go there, a write is of unknown fate", async () => {
    const two = await leader("two", answer("by two"));
    const one = await leader("one", (request) => void request.resume());
    journal.lead(one);
    const read = pass("GET");
    const written = assert.rejects(pass("POST", "{}"), { reason: "Timeout" });
    clock.setTimer(300, () => journal.lead(two));
    assert.equal(await (await read).text(), "by two");
    await written;
  });

  test("nobody leads: it waits for one", async () => {
    const one = await leader("one", answer("at last"));
    const passed = pass("POST", "{}");
    clock.setTimer(200, () => journal.lead(one));
    assert.equal(await (await passed).text(), "at last");
  });

  test("a client that goes away ends it at the leader", async () => {
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const one = await leader("one", (request, response) => {
      request.resume();
      response.on("close", ended.resolve);
      begun.resolve();
    });
    journal.lead(one);
    const client = new AbortController();
    const passed = assert.rejects(pass("GET", undefined, client.signal));
    await begun.promise;
    client.abort(new Error("gone"));
    await passed;
    await ended.promise;
  });

  test("an answer that goes on is passed on as it comes, and ends at the leader when its reader goes", async () => {
    const ended = Promise.withResolvers<void>();
    const one = await leader("one", (request, response) => {
      request.resume();
      response.on("close", ended.resolve);
      response.writeHead(200).write("first\n");
    });
    journal.lead(one);
    const { body } = await pass("GET");
    const reader = body?.getReader();
    const first = await reader?.read();
    assert.equal(Buffer.from(first?.value ?? []).toString(), "first\n");
    await reader?.cancel();
    await ended.promise;
  });

  test("reads that go on stop no write, and one that waits for its turn is not taken for a leader that is away", async () => {
    const streams: ServerResponse[] = [];
    const one = await leader("one", (request, response) => {
      if (request.method !== "GET") return answer("written")(request, response);
      request.resume();
      streams.push(response.writeHead(200));
      response.write("first\n");
    });
    const connections = new PeerConnections(() => pki.peer, { reads: 2, writes: 1, connectMs: 500, queueMs: 5_000 });
    const signal = new AbortController().signal;
    const ask = (method: string) =>
      connections.ask(one.url, { method, path: "/", headers: {}, body: undefined }, signal).then((outcome) => {
        if (outcome.type === "answer") outcome.response.on("error", () => {}).resume();
        return outcome.type;
      });
    assert.deepEqual(await Promise.all([ask("GET"), ask("GET")]), ["answer", "answer"]);
    const third = ask("GET");
    assert.equal(await ask("POST"), "answer");
    await clock.sleep(700);
    streams[0]?.end();
    assert.equal(await third, "answer");
    connections.close();
  });

  test("a read that finds no room in time is said to be not sent, and why", async () => {
    const one = await leader("one", (request, response) => void request.resume().on("end", () => response.write("on")));
    const connections = new PeerConnections(() => pki.peer, { reads: 1, queueMs: 200 });
    const signal = new AbortController().signal;
    const call = { method: "GET", path: "/", headers: {}, body: undefined };
    const first = await connections.ask(one.url, call, signal);
    const second = await connections.ask(one.url, call, signal);
    assert.deepEqual(second, { type: "failed", why: "too many requests to it are under way", wasSent: false });
    if (first.type === "answer") first.response.on("error", () => {});
    connections.close();
  });

  test("an answer that goes on breaks off when another leads, so that its reader asks there", async () => {
    const one = await leader("one", (request, response) => {
      request.resume();
      response.writeHead(200).write("first\n");
    });
    journal.lead(one);
    const { body } = await pass("GET");
    const reader = body?.getReader();
    await reader?.read();
    journal.lead(await leader("two", answer("by two")));
    await assert.rejects(async () => reader?.read(), /another server leads now/);
  });
});
