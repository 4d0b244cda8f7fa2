/** Our own endpoints and whatever else a test mounts, on a unix socket in a folder of their own. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { WebSocketServer } from "ws";
import type { StyrApiContext } from "../../src/api/context.ts";
import { replicatedSource } from "../../src/api/replicated-source.ts";
import { clientVersion } from "../../src/cli/client-version.ts";
import type { Mounted } from "../../src/http/mount.ts";
import type { Socket } from "../../src/http/route.ts";
import { kernelKinds } from "../../src/model/kinds.ts";
import type { Kind } from "../../src/model/meta.ts";
import { replicationControllers } from "../../src/model/replication-controller.ts";
import type { LogChunk, NodeAccess } from "../../src/model/streams.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { Store } from "../../src/store/store.ts";

/** What the API names when it is asked for a kind that there is not: some are enough. */
const SHOWN = new Set(["ClusterSettings", "Event", "Node", "NodeDrain", "Pod", "ReplicationController"]);

export async function openStore(): Promise<Store> {
  return Store.open({
    kinds: kernelKinds,
    journal: new MemoryJournal(),
    clock: new SystemClock(),
    random: new SeededRandom("cli"),
    log: silentLog,
  });
}

/** A node that echoes: logs say their pod, commands their words and what they were sent. */
export const echoAccess: NodeAccess = {
  async *logs({ uid, container }) {
    yield chunk(`${container} of ${uid} says hello\n`);
    yield chunk("\u001b]0;evil\u0007half a ");
    yield chunk("line\n");
  },
  async exec(_pod, { command }) {
    const input: Buffer[] = [];
    const ended = Promise.withResolvers<void>();
    const exitCode = Number(command[1] ?? 0);
    const output = async function* () {
      yield chunk(`ran ${command.join(" ")}\n`);
      await ended.promise;
      yield chunk(`read ${Buffer.concat(input).toString()}`);
    };
    return {
      output: output(),
      write: (data) => void input.push(Buffer.from(data)),
      endInput: () => ended.resolve(),
      resize() {},
      exitCode: ended.promise.then(() => exitCode),
      kill: () => ended.resolve(),
    };
  },
  usage: async () => ({ main: { cpuMillis: 250, memoryBytes: 3 * 2 ** 20 } }),
};

function chunk(text: string): LogChunk {
  return { stream: "stdout", data: Buffer.from(text) };
}

export function apiContext(store: Store, more: Partial<StyrApiContext> = {}): StyrApiContext {
  return {
    store,
    clock: new SystemClock(),
    log: silentLog,
    version: clientVersion(),
    hostname: "host-of-the-test",
    startedAtMs: 0,
    kinds: kernelKinds.filter(({ name }) => SHOWN.has(name)),
    sources: [replicatedSource("kubernetes", [replicationControllers as unknown as Kind])],
    nodeAccess: echoAccess,
    dialects: ["kubernetes"],
    ...more,
  };
}

export interface TestServer {
  readonly socketPath: string;
  readonly url: string;
  readonly store: Store;
  close(): Promise<void>;
}

const ROOT = { name: "root", roles: ["admin"] as const };

export async function serve(store: Store, mounted: Mounted): Promise<TestServer> {
  const connection = { actor: ROOT, remoteAddress: "", origin: "http://localhost" };
  const server = createServer(getRequestListener((request) => mounted.handle(request, connection)));
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", async (incoming, stream, head) => {
    const request = new Request(new URL(incoming.url ?? "/", "http://localhost"));
    const found = await mounted.openSocket(request, connection);
    if (found instanceof Response) {
      const body = await found.text();
      stream.end(`HTTP/1.1 ${found.status} No\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    sockets.handleUpgrade(incoming, stream, head, (socket) => found.take(wrap(socket)));
  });
  const folder = await mkdtemp(join(tmpdir(), "styr-cli-"));
  const socketPath = join(folder, "styr.sock");
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    url: `unix://${socketPath}`,
    store,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

function wrap(socket: import("ws").WebSocket): Socket {
  return {
    protocol: socket.protocol,
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
    onMessage: (listener) => void socket.on("message", (data: Buffer) => listener(data)),
    onClose: (listener) => void socket.on("close", listener),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
  };
}
