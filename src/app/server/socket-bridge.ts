/** A WebSocket of a client, led on to the leader: commands and forwarded ports reach it through any server. */
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import type { RequestContext, Socket } from "../../http/route.ts";
import { ApiError } from "../../model/errors.ts";
import { closeReason } from "../../network/link/socket-link.ts";
import type { TlsMaterial } from "../../network/link/web-socket-dialer.ts";
import type { Clock } from "../../seams/clock.ts";
import type { ServerIdentity } from "../../store/journal.ts";
import { passedOnHeaders } from "./forwarded-call.ts";
import type { LeaderWatch } from "./leader-watch.ts";
import { NOT_LEADING_HEADER } from "./peer-mounted.ts";

export interface SocketDial {
  readonly leader: ServerIdentity;
  readonly request: Request;
  readonly context: RequestContext;
  readonly material: TlsMaterial;
  readonly clock: Clock;
  readonly leaders: LeaderWatch;
}

export type SocketOutcome =
  | { readonly type: "open"; readonly take: (socket: Socket) => void }
  /** The leader's refusal, as it is. */
  | { readonly type: "refused"; readonly response: Response }
  /** Nothing was begun there. */
  | { readonly type: "not started"; readonly why: string };

const LARGEST_MESSAGE = 24 * 1024 * 1024;
const HANDSHAKE_MS = 10_000;
const MOST_REFUSAL_BYTES = 64 * 1024;
/** More than this under way on one side stops the reading of the other. */
const HIGH_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 10;

/** Throws Unavailable when the connection broke after the leader may have begun. */
export async function dialSocket(dial: SocketDial): Promise<SocketOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<SocketOutcome>();
  const up = connect(dial);
  up.on("open", () => {
    // What the leader says from now on waits for the client's side.
    up.pause();
    resolve({ type: "open", take: (down) => bridge(down, up, dial) });
  });
  up.on("unexpected-response", (_request, response) => {
    refusalOf(response).then(resolve, reject);
  });
  up.on("error", (error: NodeJS.ErrnoException) => {
    if (error.syscall === "connect") resolve({ type: "not started", why: error.message });
    else reject(new ApiError("Unavailable", `the way to server "${dial.leader.name}" broke: ${error.message}`));
  });
  return promise;
}

function connect({ leader, request, context, material }: SocketDial): WebSocket {
  const { pathname, search } = context.url;
  const { host } = new URL(leader.url);
  const { "sec-websocket-protocol": protocols = "", ...headers } = passedOnHeaders(request, context);
  const isOurs = ([name]: [string, string]) => !name.startsWith("sec-websocket-");
  return new WebSocket(`wss://${host}${pathname}${search}`, protocols.split(/\s*,\s*/).filter(Boolean), {
    ca: material.caPem,
    cert: material.certPem,
    key: material.keyPem,
    headers: Object.fromEntries(Object.entries(headers).filter(isOurs)),
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE,
    followRedirects: false,
  });
}

async function refusalOf(response: IncomingMessage): Promise<SocketOutcome> {
  if (response.headers[NOT_LEADING_HEADER] !== undefined) {
    response.destroy();
    return { type: "not started", why: "it does not lead any more" };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_REFUSAL_BYTES) break;
    chunks.push(chunk);
  }
  const type = response.headers["content-type"] ?? "text/plain";
  const body = Buffer.concat(chunks).toString("utf8");
  return {
    type: "refused",
    response: new Response(body, { status: response.statusCode ?? 502, headers: { "Content-Type": type } }),
  };
}

/** Messages go through as they are; whoever does not read makes the other side wait. */
function bridge(down: Socket, up: WebSocket, { clock, leaders, leader }: SocketDial): void {
  up.binaryType = "nodebuffer";
  up.removeAllListeners("error");
  up.on("error", () => up.terminate());
  down.onMessage((data) => {
    up.send(data);
    if (up.bufferedAmount > HIGH_BYTES) holdUntil(() => up.bufferedAmount < HIGH_BYTES, down, clock);
  });
  up.on("message", (data, isBinary) => {
    down.send(isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString("utf8"));
    if (down.bufferedBytes > HIGH_BYTES)
      holdUntil(() => down.bufferedBytes < HIGH_BYTES || up.readyState !== WebSocket.OPEN, up, clock);
  });
  const forget = leaders.onChange(() => {
    if (leaders.leader?.url !== leader.url) up.close(1001, "another server leads now");
  });
  down.onClose(() => up.close(1000));
  up.on("close", (code, reason) => {
    forget();
    down.close(sendable(code), closeReason(reason.toString("utf8")));
  });
  up.resume();
}

function holdUntil(isFree: () => boolean, side: { pause?(): void; resume?(): void }, clock: Clock): void {
  side.pause?.();
  const look = () => {
    if (isFree()) side.resume?.();
    else clock.setTimer(LOOK_AGAIN_MS, look);
  };
  clock.setTimer(LOOK_AGAIN_MS, look);
}

/** RFC 6455, 7.4.1: some codes say that none was sent. */
function sendable(code: number): number {
  return code >= 3000 || (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) ? code : 1011;
}
