import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { portListeners } from "../../../src/app/network/port-listeners.ts";
import type { EndpointEntry, NetworkEntry, ServiceEntry } from "../../../src/model/network.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import { NodeProxyPart } from "../../../src/network/services/node-proxy/node-proxy-part.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { endpoints, service } from "./stage.ts";

/** Endpoints are other addresses of this host; all serve at one port. */
const [ONE, TWO, NOBODY] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];

describe("service ports without root:", { concurrency: false }, () => {
  const servers: Server[] = [];
  const udp = [ONE, TWO].map((address) => ({ address, socket: createSocket("udp4") }));
  let backend = 0;
  let nodePort = 0;
  let web: ServiceEntry;
  let state = new NetworkState("n1");
  let part = new NodeProxyPart(portListeners, new SystemClock());

  before(async () => {
    backend = await serve(ONE, 0, servers);
    await serve(TWO, backend, servers);
    for (const { address, socket } of udp) {
      socket.bind(backend, address);
      socket.on("message", (_, from) => socket.send(address, from.port, from.address));
      await once(socket, "listening");
    }
    nodePort = await freePort();
    const at = { port: 80, nodePort };
    web = service("default/web", {
      ports: [
        { name: "a", protocol: "tcp", ...at },
        { name: "b", protocol: "udp", ...at },
      ],
    });
  });
  afterEach(async () => {
    await part.remove();
    state = new NetworkState("n1");
    part = new NodeProxyPart(portListeners, new SystemClock());
  });
  after(() => {
    for (const server of servers) server.close();
    for (const { socket } of udp) socket.close();
  });

  const hear = async (...entries: readonly NetworkEntry[]) => {
    const touched = new Touched();
    state.hear({ type: "changed", revision: 1, entries, removed: [] }, touched);
    await part.apply(state, touched);
  };
  const ready = (...addresses: readonly string[]): EndpointEntry[] =>
    addresses.map((address) => ({ address, state: "ready" }));
  const put = (list: EndpointEntry[], entry = web) => hear(entry, endpoints(entry, list, backend));
  const ask = () => askAt(nodePort);

  test("connections go to each endpoint in turn", async () => {
    await put(ready(ONE, TWO));
    assert.deepEqual([await ask(), await ask(), await ask()], [ONE, TWO, ONE]);
  });

  test("an endpoint that does not answer is passed over", async () => {
    await put(ready(NOBODY, TWO));
    assert.deepEqual([await ask(), await ask()], [TWO, TWO]);
  });

  test("without endpoints the port is refused at once, and open again when there is one", async () => {
    await put(ready(ONE));
    await put([]);
    await assert.rejects(ask(), { code: "ECONNREFUSED" });
    await put(ready(TWO));
    assert.equal(await ask(), TWO);
  });

  test("a connection whose endpoint drains goes on, new ones go elsewhere", async () => {
    await put(ready(ONE));
    const held = createConnection({ port: nodePort, host: "127.0.0.1" });
    held.write("hello");
    assert.equal(String((await once(held, "data"))[0]), ONE);
    await put([{ address: ONE, state: "draining" }, ...ready(TWO)]);
    assert.equal(await ask(), TWO);
    held.write("again");
    assert.equal(String((await once(held, "data"))[0]), ONE);
    held.destroy();
  });

  test("who has said all still hears all: each side ends for itself", async () => {
    await put(ready(ONE));
    const client = createConnection({ port: nodePort, host: "127.0.0.1", allowHalfOpen: true });
    client.end("count".padEnd(1_000_000, "x"));
    const chunks: Buffer[] = [];
    client.on("data", (chunk) => chunks.push(chunk));
    await once(client, "end");
    assert.equal(Buffer.concat(chunks).toString(), "heard 1000000");
  });

  test("what a slow reader does not read is not gathered here", async () => {
    await put(ready(ONE));
    const client = createConnection({ port: nodePort, host: "127.0.0.1" });
    client.pause();
    client.write("flood");
    const before = process.memoryUsage().arrayBuffers;
    await untilFloodHalts();
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 2 ** 20, "gathers what nobody reads");
    client.destroy();
  });

  test("the same client has the same endpoint when that is asked for, also while others come and go", async () => {
    const sticky = { ...web, affinitySeconds: 60 };
    await put(ready(ONE, TWO), sticky);
    const mine = await ask();
    await put(ready(ONE, TWO, NOBODY), sticky);
    assert.deepEqual([await ask(), await ask()], [mine, mine]);
  });

  test("UDP flows keep their endpoint, until it leaves", async () => {
    await put(ready(ONE, TWO));
    const client = createSocket("udp4");
    const say = async () => {
      client.send("hello", nodePort, "127.0.0.1");
      return String((await once(client, "message", { signal: AbortSignal.timeout(5000) }))[0]);
    };
    const mine = await say();
    assert.deepEqual([await say(), await say()], [mine, mine]);
    const other = mine === ONE ? TWO : ONE;
    await put(ready(other));
    assert.equal(await say(), other);
    client.close();
  });

  test("a port that somebody else has is said in words, and tried again; ports below 1024 and those of another Service are said, too", async () => {
    const taken = createServer().listen(nodePort, "0.0.0.0");
    await once(taken, "listening");
    await assert.rejects(put(ready(ONE)), /default\/web does not have tcp \d+: .*EADDRINUSE/);
    assert.equal(part.report().state, "failing");
    taken.close();
    await put(ready(ONE));
    assert.equal(part.report().state, "working");
    const low = service("default/low", { ports: [{ name: "a", protocol: "tcp", port: 80, nodePort: 80 }] });
    await put(ready(ONE), low);
    assert.match(part.report().words ?? "", /default\/low does not have tcp 80: ports below 1024 need root/);
    const second = { ...web, id: "default/zweit" };
    await put(ready(TWO), second);
    assert.equal(await ask(), ONE);
    const touched = new Touched();
    state.hear({ type: "changed", revision: 2, entries: [], removed: [{ kind: "service", id: web.id }] }, touched);
    await part.apply(state, touched);
    assert.equal(await ask(), TWO);
  });

  test("that cluster addresses are not served is said", async () => {
    await put(ready(ONE));
    assert.match(part.report().words ?? "", /cluster addresses .* are not/);
  });
});

function askAt(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = createConnection({ port, host: "127.0.0.1", timeout: 5000 });
  socket.once("connect", () => socket.write("hello"));
  socket.once("data", (data) => {
    resolve(data.toString());
    socket.destroy();
  });
  socket.once("timeout", () => reject(new Error("no answer within 5 s")));
  socket.once("error", reject);
  return promise;
}

/** `hello`: its address. `count…`: after the other side's end, how much came. `flood`: as much as is taken. */
async function serve(address: string, port: number, servers: Server[]): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let size = 0;
    let isCounting = false;
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      size += data.length;
      isCounting ||= data.toString("latin1", 0, 5) === "count";
      if (data.toString() === "flood") flood(socket);
      else if (!isCounting) socket.write(address);
    });
    socket.on("end", () => socket.end(isCounting ? `heard ${size}` : ""));
  });
  servers.push(server.listen(port, address));
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}

const flooded = { bytes: 0 };

function flood(socket: Socket): void {
  const chunk = Buffer.alloc(256 * 1024);
  const more = () => {
    if (socket.destroyed || flooded.bytes > 512 * 2 ** 20) return;
    flooded.bytes += chunk.length;
    socket.write(chunk, () => setImmediate(more));
  };
  more();
}

/** Nothing was taken for some turns. */
async function untilFloodHalts(): Promise<void> {
  for (let calm = 0, last = -1; calm < 10; calm = flooded.bytes === last ? calm + 1 : 0) {
    last = flooded.bytes;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(flooded.bytes > 0 && flooded.bytes < 512 * 2 ** 20, `${flooded.bytes} bytes`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
