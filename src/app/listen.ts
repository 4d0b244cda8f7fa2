/** Sockets in, Requests out: HTTPS, plain HTTP on loopback, and the unix socket, all serving the same routes. The only `listen`. */

import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, type Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { type WebSocket, WebSocketServer } from "ws";
import type { Connection, Mounted } from "../http/mount.ts";
import type { Socket } from "../http/route.ts";
import { endStream } from "./end-stream.ts";
import type { Pki } from "./pki.ts";
import { mostDescriptors } from "./process-facts.ts";
import { ORIGINAL_HEADER, parseOriginal } from "./server/original.ts";
import { SocketTaker } from "./socket-taker.ts";
import { certified, followTrust, shownBy } from "./trust/tls-identity.ts";

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** Who asks, as far as the listener can tell. */
type Identify = (request: IncomingMessage) => Pick<Connection, "actor" | "refusal" | "bearer" | "isLocal">;

/** What closes when an exchange is over: a response, or an upgraded socket. */
interface Closing {
  once(event: "close", listener: () => void): unknown;
}

/** The largest request line and headers; a body's limit is http/mount's. */
const LIMITS = { maxHeaderSize: 64 * 1024, requestTimeout: 120_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 };
/** Per listener: two links for each of 5,000 agents, and people. Beyond it the kernel accepts and we close: a quarter of the descriptors is left for all else. */
const MOST_CONNECTIONS = 16_384;
const SHARE_OF_DESCRIPTORS = 0.75;
const ANSWERS_MAY_TAKE_MS = 1000;
/** RFC 6455, 7.4.1. */
const GOING_AWAY = 1001;
const LARGEST_MESSAGE = 1024 * 1024;
/** Of machines of the cluster: a frame of an agent's link (agent/frames/limits.ts) has at most 8 Mi characters, of up to three bytes each. */
const LARGEST_LINK_MESSAGE = 24 * 1024 * 1024;
/** What Node's parser says of a request that never became one. */
const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

export async function listenTls(
  mounted: Mounted,
  pki: Pki,
  at: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = createTlsServer({
    ...LIMITS,
    ...shownBy(pki),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: 10_000,
  });
  followTrust(server, pki);
  const sockets = serve(server, mounted, (request) => proven(request, pki));
  const port = await bind(server, at);
  return {
    url: `https://${at.host === "0.0.0.0" || at.host === "::" ? "127.0.0.1" : bracketed(at.host)}:${port}`,
    close: () => closed(server, sockets),
  };
}

/** Old clients that speak no TLS. Whoever can reach loopback may do anything, so it is only there when asked for. */
export async function listenPlain(
  mounted: Mounted,
  at: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = createServer(LIMITS);
  const sockets = serve(server, mounted, (request) => ({
    actor: isFromAPage(request) ? undefined : { name: "loopback", roles: ["admin"] },
  }));
  const port = await bind(server, at);
  return { url: `http://${bracketed(at.host)}:${port}`, close: () => closed(server, sockets) };
}

/**
 * Whether a web page could have sent this: a browser on this machine reaches loopback too, under a name of the page's choosing
 * (DNS rebinding) or from another origin. Such requests are nobody's; programs send neither.
 */
export function isFromAPage({ headers }: Pick<IncomingMessage, "headers">): boolean {
  const { host = "", origin } = headers;
  const name = host.replace(/:\d+$/, "");
  const isLoopback = name === "localhost" || /^127(?:\.\d{1,3}){3}$/.test(name) || name === "[::1]";
  return !isLoopback || (origin !== undefined && origin !== `http://${host}`);
}

/** The socket's file mode is the check: only its owner can open it. */
export async function listenUnix(mounted: Mounted, path: string): Promise<Listening> {
  if (await answers(path))
    throw new Error(`another styr is running: ${path} answers. Use it (styr status), or stop it first`);
  await rm(path, { force: true });
  const server = createServer(LIMITS);
  const sockets = serve(server, mounted, () => ({ actor: { name: "root", roles: ["admin"] }, isLocal: true }));
  await bind(server, { path });
  await chmod(path, 0o600);
  return { url: `unix://${path}`, close: () => closed(server, sockets) };
}

interface WebSockets {
  readonly people: WebSocketServer;
  /** Links of agents and of other servers. */
  readonly machines: WebSocketServer;
}

function serve(server: Server, mounted: Mounted, identify: Identify): WebSockets {
  const listener = getRequestListener(
    (request, { incoming, outgoing }: { incoming: unknown; outgoing: unknown }) =>
      mounted.handle(request, connectionOf(incoming as IncomingMessage, identify, outgoing as Closing)),
    { overrideGlobalObjects: false },
  );
  server.on("request", listener);
  const sockets = {
    people: new WebSocketServer({ noServer: true, maxPayload: LARGEST_MESSAGE }),
    machines: new WebSocketServer({ noServer: true, maxPayload: LARGEST_LINK_MESSAGE }),
  };
  server.maxConnections = Math.min(MOST_CONNECTIONS, Math.floor(mostDescriptors() * SHARE_OF_DESCRIPTORS));
  server.on("upgrade", (incoming, stream, head) => {
    // Node leaves an upgraded socket's errors to whoever took it: without a listener a reset would end the process.
    stream.on("error", () => stream.destroy());
    upgrade(sockets, mounted, identify, incoming, stream, head).catch(() =>
      refuseUpgrade(stream, 400, "text/plain", "Bad Request\n"),
    );
  });
  server.on("clientError", (error: NodeJS.ErrnoException, stream) => {
    const status = UNREADABLE[error.code ?? ""] ?? "400 Bad Request";
    endStream(stream, `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  });
  // Before the handshake is over nothing can be said, and the end of it would be waited for.
  server.on("tlsClientError", (_error: unknown, stream: Duplex) => stream.destroy());
  return sockets;
}

async function upgrade(
  sockets: WebSockets,
  mounted: Mounted,
  identify: Identify,
  incoming: IncomingMessage,
  stream: Duplex,
  head: Buffer,
): Promise<void> {
  const connection = connectionOf(incoming, identify, stream);
  // Before anything is opened for it: a handshake that ws would refuse must not leave a command behind.
  if (!isHandshake(incoming)) {
    refuseUpgrade(stream, 400, "text/plain", "not a WebSocket handshake (RFC 6455, 4.1)\n");
    return;
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, String(value));
  const taker = new SocketTaker(stream);
  const request = new Request(new URL(incoming.url ?? "/", connection.origin), { headers, signal: taker.signal });
  const opened = await mounted.openSocket(request, connection);
  if (opened instanceof Response) {
    refuseUpgrade(stream, opened.status, opened.headers.get("Content-Type") ?? "text/plain", await opened.text());
    return;
  }
  const isMachine = connection.actor?.roles.some((role) => role === "node" || role === "server") ?? false;
  const side = isMachine ? sockets.machines : sockets.people;
  taker.begin(opened.take);
  if (!taker.isOver) side.handleUpgrade(incoming, stream, head, (socket) => taker.take(asSocket(socket)));
}

function isHandshake({ headers, method }: IncomingMessage): boolean {
  const key = headers["sec-websocket-key"] ?? "";
  return (
    method === "GET" &&
    headers.upgrade?.toLowerCase() === "websocket" &&
    /^[+/0-9A-Za-z]{22}==$/.test(key) &&
    headers["sec-websocket-version"] === "13"
  );
}

function refuseUpgrade(stream: Duplex, status: number, type: string, body: string): void {
  // The time, as with all answers: who is refused for the time of a certificate compares it with the own.
  const head = `HTTP/1.1 ${status} Refused\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  endStream(stream, `${head}\r\n\r\n${body}`);
}

function asSocket(socket: WebSocket): Socket {
  socket.binaryType = "nodebuffer";
  // A frame that breaks the protocol, or one that is too long: ws closes it, and says so here.
  socket.on("error", () => socket.terminate());
  return {
    protocol: socket.protocol,
    send: (data, sent) => socket.send(data, sent),
    close: (code, reason) => socket.close(code, reason),
    onMessage: (listener) => {
      socket.on("message", (data, isBinary) =>
        listener(isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString("utf8")),
      );
    },
    onClose: (listener) => {
      socket.on("close", listener);
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

function connectionOf(incoming: IncomingMessage, identify: Identify, closing: Closing): Connection {
  const scheme = "encrypted" in incoming.socket ? "https" : "http";
  const identity = identify(incoming);
  const passedOn = incoming.headers[ORIGINAL_HEADER];
  if (passedOn !== undefined) return originalOf(identity, String(passedOn));
  return {
    ...identity,
    onClosed: (listener) => void closing.once("close", listener),
    cut: () => void incoming.socket.destroy(),
    remoteAddress: incoming.socket.remoteAddress ?? "local",
    origin: `${scheme}://${incoming.headers.host ?? "localhost"}`,
  };
}

/** Of a request that a server passes on: who asked there. From anybody else it is a lie, and then nobody asks. */
function originalOf({ actor: sender, refusal }: ReturnType<Identify>, text: string): Connection {
  const original = sender?.roles.includes("server") ? parseOriginal(text) : undefined;
  const nobody = { actor: undefined, remoteAddress: "", origin: "https://localhost" };
  if (!sender || !original) return { ...nobody, ...(refusal === undefined ? {} : { refusal }) };
  return { ...original, via: sender.name };
}

/** The admin's token and certificates are known here; tokens of users where the store is. */
function proven(request: IncomingMessage, pki: Pki): ReturnType<Identify> {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const known = bearer === undefined ? undefined : pki.actorOfToken(bearer);
  const shown = known || isFromAnotherOrigin(request) ? { actor: known } : certified(request, pki);
  // Also of the admin's: what it has opened ends with it.
  return bearer === undefined || (shown.actor && !known) ? shown : { ...shown, bearer };
}

/** A browser shows a certificate that it has to whatever page asks for it; a token it does not have. Programs send no origin. */
function isFromAnotherOrigin({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && headers.origin !== `https://${headers.host}`;
}

/** The port that was got. */
export async function bind(
  server: Server,
  at: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // For good: a connection that cannot be accepted (no descriptors, a network that went) is one connection, and no end of the process.
  server.on("error", (error: NodeJS.ErrnoException) => reject(error.code === "EADDRINUSE" ? inUse(at) : error));
  server.listen(at, resolve);
  await promise;
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function inUse(at: { readonly port?: number; readonly path?: string }): Error {
  const where = at.path ?? `port ${at.port}`;
  return new Error(
    `${where} is in use by another program; choose another with --listen HOST:PORT, or stop the other one`,
  );
}

/** Machines are told at once, and go elsewhere; answers under way may end; streams that have no end are cut. */
export function closed(server: Server, sockets?: WebSockets): Promise<void> {
  for (const link of sockets?.machines.clients ?? []) link.close(GOING_AWAY, "the server stops");
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
      // Node does not count a connection that has become a WebSocket among the server's.
      for (const { clients } of sockets ? [sockets.people, sockets.machines] : [])
        for (const socket of clients) socket.terminate();
    }, ANSWERS_MAY_TAKE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Whether somebody accepts connections on a unix socket; a file left behind by a killed process does not. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: NetSocket = connect({ path });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
