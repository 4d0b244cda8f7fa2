/**
 * Passes on to the leader what only the leader can do, and its answer back as it comes. Nothing is carried out twice: a
 * request that may have reached a leader is sent again only if it changes nothing.
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { AgentPeer } from "../../dispatcher/agent-api.ts";
import type { RequestContext, Socket } from "../../http/route.ts";
import { ApiError } from "../../model/errors.ts";
import type { TlsMaterial } from "../../network/link/web-socket-dialer.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Link, LinkListener } from "../../seams/link.ts";
import { callOf } from "./forwarded-call.ts";
import { type LeaderWatch, TRIES_MS } from "./leader-watch.ts";
import { NOT_LEADING_HEADER, REVISION_HEADER } from "./peer-mounted.ts";
import { isRead, type PeerCall, PeerConnections, type PeerOutcome } from "./peer-request.ts";
import type { Follower } from "./plane-options.ts";
import { relayTo } from "./relay.ts";
import { dialSocket } from "./socket-bridge.ts";

export interface ForwarderOptions {
  readonly leaders: LeaderWatch;
  readonly clock: Clock;
  /** This server's proof to the others. */
  material(): TlsMaterial;
  /** Resolves once this server's own store has the revision. */
  waitFor(revision: number, signal: AbortSignal): Promise<void>;
}

const RETRY_MS = 100;
/** A leader that has just lost its leadership may still say what became of a request. */
const LAST_WORDS_MS = 1_000;
/** This server may be so far behind before an answer is passed on without waiting any longer. */
const CATCH_UP_MS = 5_000;

export class Forwarder implements Follower {
  readonly #options: ForwarderOptions;
  readonly #connections: PeerConnections;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#connections = new PeerConnections(() => options.material());
  }

  get isThere(): boolean {
    return this.#options.leaders.leader !== undefined;
  }

  async forward(request: Request, context: RequestContext): Promise<Response> {
    const { leaders, clock } = this.#options;
    const call = await callOf(request, context);
    const untilMs = clock.monotonic() + TRIES_MS;
    for (;;) {
      const leader = await leaders.wait(context.signal);
      const outcome = await this.#ask(leader.url, call, context.signal);
      context.signal.throwIfAborted();
      if (outcome.type === "answer" && !isNotLeading(outcome.response)) {
        this.#endWith(leader.url, outcome.response);
        return this.#passOn(outcome.response, call);
      }
      const why = outcome.type === "answer" ? "it does not lead any more" : outcome.why;
      if (outcome.type === "answer") outcome.response.resume();
      else if (outcome.wasSent && !isRead(call)) throw unknownFate(leader.name, why);
      if (clock.monotonic() >= untilMs) throw unreachable(leader.name, why);
      await leaders.changed(RETRY_MS, context.signal);
    }
  }

  async openSocket(request: Request, context: RequestContext): Promise<Response | ((socket: Socket) => void)> {
    const { leaders, clock, material } = this.#options;
    const untilMs = clock.monotonic() + TRIES_MS;
    for (;;) {
      const leader = await leaders.wait(context.signal);
      const outcome = await dialSocket({ leader, request, context, material: material(), clock, leaders });
      if (outcome.type !== "not started") return outcome.type === "open" ? outcome.take : outcome.response;
      if (clock.monotonic() >= untilMs) throw unreachable(leader.name, outcome.why);
      await leaders.changed(RETRY_MS, context.signal);
    }
  }

  async relay(peer: AgentPeer): Promise<(link: Link) => LinkListener> {
    return relayTo(peer, this.#options);
  }

  close(): void {
    this.#connections.close();
  }

  /** Ends the waiting for an answer when another leads: one that stands still would hold it for ever. */
  async #ask(server: string, call: PeerCall, signal: AbortSignal): Promise<PeerOutcome> {
    const { leaders, clock } = this.#options;
    const deposed = new AbortController();
    const graceMs = isRead(call) ? 0 : LAST_WORDS_MS;
    const forget = leaders.onChange(() => {
      if (leaders.leader?.url !== server) clock.setTimer(graceMs, () => deposed.abort());
    });
    // The signal stays: it also ends an answer whose body is under way. A leader that steps down ends those itself.
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener("abort", end, { once: true });
    deposed.signal.addEventListener("abort", end, { once: true });
    const outcome = await this.#connections.ask(server, call, ended.signal);
    deposed.signal.removeEventListener("abort", end);
    forget();
    return outcome;
  }

  /** An answer that goes on would hang for ever on a leader that stands still. */
  #endWith(server: string, response: IncomingMessage): void {
    const { leaders, clock } = this.#options;
    const forget = leaders.onChange(() => {
      if (leaders.leader?.url === server) return;
      clock.setTimer(LAST_WORDS_MS, () => response.destroy(new Error("another server leads now")));
    });
    response.once("close", forget);
  }

  async #passOn(response: IncomingMessage, call: PeerCall): Promise<Response> {
    const revision = Number(response.headers[REVISION_HEADER]);
    if (!isRead(call) && Number.isSafeInteger(revision)) await this.#catchUp(revision);
    const status = response.statusCode ?? 502;
    const headers = new Headers();
    for (const [name, value] of Object.entries(response.headersDistinct))
      if (!NOT_PASSED_ON.has(name)) for (const one of value ?? []) headers.append(name, one);
    const hasBody = call.method !== "HEAD" && ![204, 205, 304].includes(status);
    if (!hasBody) response.resume();
    const body = hasBody ? (Readable.toWeb(response) as ReadableStream<Uint8Array>) : null;
    return new Response(body, { status, headers });
  }

  /** Read your writes: what was answered is read here too. */
  async #catchUp(revision: number): Promise<void> {
    const { clock, waitFor } = this.#options;
    const enough = new AbortController();
    const timer = clock.setTimer(CATCH_UP_MS, () => enough.abort());
    await waitFor(revision, enough.signal).catch((error: unknown) => {
      // Behind, or being opened anew: the answer is right all the same.
      if (!(enough.signal.aborted || error instanceof ApiError)) throw error;
    });
    timer.cancel();
  }
}

/** Of one connection (RFC 9110, 7.6.1), or between servers only. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection"],
  ...["date", REVISION_HEADER],
]);

function isNotLeading({ headers }: IncomingMessage): boolean {
  return headers[NOT_LEADING_HEADER] !== undefined;
}

function unknownFate(leader: string, why: string): ApiError {
  return new ApiError(
    "Timeout",
    `server "${leader}" stopped leading while it had this request (${why}); it is not known whether it was carried out: look before you ask again`,
  );
}

function unreachable(leader: string, why: string): ApiError {
  return new ApiError(
    "Unavailable",
    `server "${leader}" leads, and this one does not reach it: ${why}; nothing was changed`,
    { retryAfterSeconds: 1 },
  );
}
