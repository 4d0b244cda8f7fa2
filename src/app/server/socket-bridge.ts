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

/**
 * Throws Unavailable when the connection broke after the leader may have begun, or the client has gone. A leader that is none
 * any more before it has answered has begun nothing: it would refuse.
 */
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
  const forget = giveUpWhen(dial, up, { resolve, reject });
  return promise.finally(forget);
}

/** While the leader has not answered: another one leads, or nobody waits for the answer any more. */
function giveUpWhen(
  { leaders, leader, context }: SocketDial,
  up: WebSocket,
  { resolve, reject }: Pick<PromiseWithResolvers<SocketOutcome>, "resolve" | "reject">,
): () => void {
  const forget = leaders.onChange(() => {
    if (leaders.leader?.url === leader.url) return;
    resolve({ type: "not started", why: "another server leads now" });
    up.terminate();
  });
  const onAbort = () => {
    reject(new ApiError("Unavailable", "the client has gone"));
    up.terminate();
  };
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) onAbort();
  return () => {
    forget();
    context.signal.removeEventListener("abort", onAbort);
  };
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
  const isOver = () => up.readyState !== WebSocket.OPEN;
  const holdDown = holding(down, clock, () => isOver() || up.bufferedAmount < HIGH_BYTES);
  const holdUp = holding(up, clock, () => isOver() || down.bufferedBytes < HIGH_BYTES);
  down.onMessage((data) => {
    up.send(data);
    holdDown();
  });
  up.on("message", (data, isBinary) => {
    down.send(isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString("utf8"));
    holdUp();
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

/** Stops the reading of a side until the other one has room again, or is gone. */
function holding(side: { pause?(): void; resume?(): void }, clock: Clock, hasRoom: () => boolean): () => void {
  let isHeld = false;
  const look = () => {
    if (hasRoom()) {
      isHeld = false;
      side.resume?.();
    } else clock.setTimer(LOOK_AGAIN_MS, look);
  };
  return () => {
    if (isHeld || hasRoom()) return;
    isHeld = true;
    side.pause?.();
    clock.setTimer(LOOK_AGAIN_MS, look);
  };
}

/** RFC 6455, 7.4.1: some codes say that none was sent. */
function sendable(code: number): number {
  return code >= 3000 || (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) ? code : 1011;
}
