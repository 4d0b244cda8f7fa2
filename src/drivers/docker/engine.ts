/**
 * A client of the Docker Engine API: one pool of kept-alive connections over a unix socket, TCP or TLS, with the API version
 * negotiated. It knows HTTP and Docker's error body, and nothing of pods. Why not a library: docs/decisions/0002-engine-client.md.
 */

import type { Duplex, Readable } from "node:stream";
import { text as readText } from "node:stream/consumers";
import type { Dispatcher, Pool } from "undici";
import sendRequest from "undici/lib/api/api-request.js";
import sendUpgrade from "undici/lib/api/api-upgrade.js";
import UndiciPool from "undici/lib/dispatcher/pool.js";
import { DriverError } from "../driver.ts";
import { type EngineAddress, type EngineTls, parseEngineAddress } from "./engine-address.ts";

/** The engine answered and said no, in Docker's own words. */
export class EngineRefusal extends Error {
  override readonly name = "EngineRefusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Versions of the API that were tried: 1.40 came with Docker 19.03, engines from 29 on refuse less than 1.44. */
const OLDEST_API = [1, 40] as const;
const NEWEST_API = [1, 47] as const;
const DEFAULT_TIMEOUT_MS = 30_000;
/** A DriverError's reason. */
const UNAVAILABLE = "EngineUnavailable";

export class Engine {
  readonly address: EngineAddress;
  readonly #pool: Pool;
  #version: Promise<string> | undefined;

  constructor(address: EngineAddress) {
    this.address = address;
    const { socketPath, tls } = address;
    this.#pool = new UndiciPool(address.origin, {
      connect: {
        timeout: 10_000,
        ...(socketPath === undefined ? {} : { socketPath }),
        ...(tls === undefined ? {} : { ...certificates(tls), rejectUnauthorized: tls.verify }),
      },
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** The JSON answer; undefined when it has no body. EngineRefusal from 400 on, DriverError when there is no answer in time. */
  async call<T>(request: EngineRequest): Promise<T> {
    const path = `/v${await this.apiVersion(request.timeoutMs)}${request.path}`;
    try {
      return await this.#callOnce<T>({ ...request, path });
    } catch (error) {
      // A kept-alive connection that the engine closed meanwhile: nothing was asked yet, and asking again changes nothing.
      if (request.method !== "GET" || !isStaleConnection(error)) throw error;
      return await this.#callOnce<T>({ ...request, path });
    }
  }

  /** The body as it comes, for as long as it comes: events, logs, pulls. `timeoutMs` is for the headers alone. */
  async stream(request: EngineRequest & { readonly rawBody?: Readable | Uint8Array }): Promise<Readable> {
    const path = `/v${await this.apiVersion(request.timeoutMs)}${request.path}`;
    const { body } = await this.#send({ ...request, path }, request.rawBody);
    return body;
  }

  /** Takes the connection over (Docker's "hijacking"), for a command with input. */
  async hijack(path: string, body: unknown, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Duplex> {
    const full = `/v${await this.apiVersion(timeoutMs)}${path}`;
    try {
      const options = {
        path: full,
        method: "POST",
        protocol: "tcp",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
      };
      const { socket } = await sendUpgrade.call(this.#pool, options as unknown as Dispatcher.UpgradeOptions);
      return socket;
    } catch (error) {
      throw this.#unavailable(error, "POST", full, timeoutMs);
    }
  }

  /** Whether it answers at all, within `timeoutMs`. Throws DriverError with words if not. */
  async ping(timeoutMs: number): Promise<void> {
    await this.#callOnce({ method: "GET", path: "/_ping", timeoutMs }, readText);
  }

  /** The highest version that both sides know; asked once per connection to an engine. Nobody waits longer for it than for what he asks. */
  apiVersion(timeoutMs = DEFAULT_TIMEOUT_MS): Promise<string> {
    this.#version ??= this.#negotiate().catch((error: unknown) => {
      this.#version = undefined;
      throw error;
    });
    return timeoutMs < DEFAULT_TIMEOUT_MS ? this.#within(this.#version, timeoutMs) : this.#version;
  }

  /** What is asked goes on for others who wait for it. */
  async #within(version: Promise<string>, timeoutMs: number): Promise<string> {
    const over = Promise.withResolvers<never>();
    const words = `the Docker Engine at ${this.address.text} did not answer within ${timeoutMs / 1000} s (GET /version)`;
    const tooLate = () => over.reject(new DriverError(words, { temporary: true, reason: UNAVAILABLE }));
    const timer = setTimeout(tooLate, timeoutMs);
    try {
      return await Promise.race([version, over.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #negotiate(): Promise<string> {
    type Version = { readonly ApiVersion: string; readonly Version: string };
    const { ApiVersion, Version } = await this.#callOnce<Version>({ method: "GET", path: "/version" });
    const [major = 0, minor = 0] = ApiVersion.split(".").map(Number);
    if (major < OLDEST_API[0] || (major === OLDEST_API[0] && minor < OLDEST_API[1]))
      throw new DriverError(
        `the Docker Engine at ${this.address.text} is ${Version} with API ${ApiVersion}; API ${OLDEST_API.join(".")} (Docker 19.03) is the oldest that works`,
        { temporary: false, reason: "EngineTooOld" },
      );
    return major === NEWEST_API[0] && minor < NEWEST_API[1] ? ApiVersion : NEWEST_API.join(".");
  }

  async #callOnce<T>(request: EngineRequest, read = readJson): Promise<T> {
    const signal = AbortSignal.timeout(Math.ceil(request.timeoutMs ?? DEFAULT_TIMEOUT_MS));
    const { body } = await this.#send({ ...request, signal });
    try {
      return (await read(body)) as T;
    } catch (error) {
      throw this.#unavailable(error, request.method, request.path, request.timeoutMs);
    }
  }

  async #send(request: EngineRequest, rawBody?: Readable | Uint8Array): Promise<Dispatcher.ResponseData> {
    const { method, path, query, body, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = request;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new DOMException("no answer", "TimeoutError")), timeoutMs);
    const json = body === undefined ? undefined : JSON.stringify(body);
    try {
      const response = await sendRequest.call(this.#pool, {
        method,
        path: path + searchOf(query),
        signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
        ...(json === undefined ? {} : { body: json, headers: { "Content-Type": "application/json" } }),
        ...(rawBody === undefined ? {} : { body: rawBody, headers: { "Content-Type": "application/x-tar" } }),
      });
      if (response.statusCode < 400) return response;
      throw new EngineRefusal(response.statusCode, wordsOf(await response.body.text(), response.statusCode));
    } catch (error) {
      if (error instanceof EngineRefusal) throw error;
      if (signal?.aborted && !isTimeout(signal.reason)) throw error;
      throw this.#unavailable(error, method, path, timeoutMs);
    } finally {
      clearTimeout(timer);
    }
  }

  #unavailable(error: unknown, method: string, path: string, timeoutMs = DEFAULT_TIMEOUT_MS): DriverError {
    if (error instanceof DriverError) return error;
    this.#version = undefined;
    const words = isTimeout(error)
      ? `did not answer within ${timeoutMs / 1000} s (${method} ${path.replace(/^\/v[\d.]+/, "")})`
      : `does not answer: ${connectionWords(error)}`;
    return new DriverError(`the Docker Engine at ${this.address.text} ${words}`, {
      temporary: true,
      reason: UNAVAILABLE,
      cause: error,
    });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** A client of the engine at `dockerHost` (the words of DOCKER_HOST). Connects when first used. */
export function engineAt(dockerHost: string, tls?: EngineTls): Engine {
  return new Engine(parseEngineAddress(dockerHost, tls));
}

function certificates({ ca, cert, key }: EngineTls): { ca?: string; cert?: string; key?: string } {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readJson(body: Readable): Promise<unknown> {
  const text = await readText(body);
  return text === "" ? undefined : JSON.parse(text);
}

function searchOf(query: EngineRequest["query"]): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? "" : `?${search}`;
}

/** Docker's errors are `{"message": "…"}`; a proxy in between may answer otherwise. */
function wordsOf(body: string, status: number): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return body.trim() || `HTTP status ${status}`;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

function isStaleConnection(error: unknown): boolean {
  const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
  return code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE";
}

function connectionWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such socket (is the daemon running?)";
  if (code === "ECONNREFUSED") return "connection refused (is the daemon running?)";
  if (code === "EACCES") return "permission denied (root or the group docker may use it)";
  return message;
}
