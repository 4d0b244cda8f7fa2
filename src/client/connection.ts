/** HTTP to one server over a unix socket or the network, with connections kept for reuse. */
import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { skewProblem, VERSION_HEADER } from "../model/version-skew.ts";
import { type Clock, SystemClock } from "../seams/clock.ts";
import { ClientError } from "./client-error.ts";
import { connectionProblem } from "./connection-problem.ts";
import type { Endpoint } from "./endpoint.ts";
import { answers, endIfStill, standsStill } from "./stands-still.ts";

export interface Call {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface ConnectionOptions {
  readonly mostSockets?: number;
  readonly version?: string;
  readonly clock?: Clock;
}

/** For requests that were too many. */
const LONGEST_WAIT_MS = 30_000;

/** Works with any server: it is how a command finds out which version that has. */
const VERSION_PATH = "/styr/v1/version";

export class Connection {
  readonly endpoint: Endpoint;
  readonly #mostSockets: number;
  readonly #version: string | undefined;
  readonly #clock: Clock;
  #options: Promise<RequestOptions & { readonly secure: boolean }> | undefined;

  /** `version`: this program's, which it says with every call; a server that is too far from it is not talked to. */
  constructor(endpoint: Endpoint, { mostSockets = 16, version, clock }: ConnectionOptions = {}) {
    this.endpoint = endpoint;
    this.#mostSockets = mostSockets;
    this.#version = version;
    this.#clock = clock ?? new SystemClock();
  }

  /** Who asks, and with which program: said with every call. */
  get said(): Readonly<Record<string, string>> {
    const { token } = this.endpoint;
    return {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(this.#version === undefined ? {} : { [VERSION_HEADER]: this.#version }),
    };
  }

  /** The whole answer, whatever its status. ClientError when there is none. */
  async call(call: Call): Promise<Answer> {
    const response = await this.open(call);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch (error) {
      throw connectionProblem(error as NodeJS.ErrnoException, this.endpoint);
    }
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: Buffer.concat(chunks).toString("utf8"),
    };
  }

  /** The answer's head, with the body still to be read. Who is told to ask more slowly does so, within reason. */
  async open(call: Call): Promise<IncomingMessage> {
    const untilMs = this.#clock.monotonic() + LONGEST_WAIT_MS;
    for (;;) {
      const response = await this.#send(call);
      const waitMs = response.statusCode === 429 ? Number(response.headers["retry-after"]) * 1000 : 0;
      if (!(waitMs > 0) || this.#clock.monotonic() + waitMs > untilMs) return response;
      // Nothing of it was carried out.
      response.resume();
      await this.#clock.sleep(waitMs, call.signal);
    }
  }

  async #send({ method, path, headers, body, signal }: Call): Promise<IncomingMessage> {
    this.#options ??= connectOptions(this.endpoint, this.#mostSockets);
    const { secure, ...options } = await this.#options;
    const start = secure ? (await import("node:https")).request : request;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const sent = start({
      ...options,
      method,
      path,
      headers: {
        Accept: "application/json",
        "User-Agent": "styr",
        ...(payload ? { "Content-Type": "application/json", "Content-Length": payload.length } : {}),
        ...this.said,
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const probe = { options: { ...options, headers: { "User-Agent": "styr" } }, start, path: VERSION_PATH };
    const answered = endIfStill(
      sent,
      () => answers(probe, this.#clock),
      () => standsStill(this.endpoint, method),
      this.#clock,
    );
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.on("response", resolve);
      sent.on("error", (error) =>
        reject(error instanceof ClientError ? error : connectionProblem(error, this.endpoint)),
      );
      sent.end(payload);
    }).finally(answered);
    if (path !== VERSION_PATH) this.#checkVersion(response);
    return response;
  }

  #checkVersion(response: IncomingMessage): void {
    if (this.#version === undefined) return;
    const said = response.headers[VERSION_HEADER.toLowerCase()];
    const problem = skewProblem(this.#version, typeof said === "string" ? said : undefined, "server");
    if (problem === undefined) return;
    response.destroy();
    throw new ClientError(problem, { next: "styr version" });
  }
}

async function connectOptions(endpoint: Endpoint, mostSockets: number) {
  const reuse = { keepAlive: true, maxSockets: mostSockets };
  if (endpoint.type === "unix") {
    return { socketPath: endpoint.path, host: "localhost", agent: new Agent(reuse), secure: false };
  }
  const { protocol, hostname, port } = endpoint.url;
  const host = hostname.replace(/^\[|\]$/g, "");
  if (protocol === "http:") return { host, port: port || "80", agent: new Agent(reuse), secure: false };
  const https = await import("node:https");
  const trust = endpoint.ca === undefined ? {} : { ca: endpoint.ca };
  return { host, port: port || "443", agent: new https.Agent({ ...reuse, ...trust }), secure: true };
}

/** The body as JSON; ClientError when it is something else. */
export function parseAnswer(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ClientError(`the server's answer to ${what} is not JSON: ${text.slice(0, 80)}`);
  }
}
