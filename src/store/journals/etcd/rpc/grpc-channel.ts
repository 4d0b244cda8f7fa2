/** gRPC over the HTTP/2 of Node, as far as etcd needs it (PROTOCOL-HTTP2.md of grpc): one address, one connection. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { Clock } from "../../../../seams/clock.ts";
import { FrameReader, frame } from "./frames.ts";
import { GRPC, GrpcError } from "./grpc-error.ts";

export interface ChannelTls {
  /** PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface CallListener {
  message(bytes: Buffer): void;
  /** Once; without an error when the other side ended the call as agreed. */
  ended(error: GrpcError | undefined): void;
}

export interface Call {
  send(message: Uint8Array): void;
  cancel(): void;
}

export type Metadata = Readonly<Record<string, string>>;

const WINDOW_BYTES = 16 * 1024 * 1024;
const SESSION_MEGABYTES = 512;

export class GrpcChannel {
  /** `https://host:2379`. */
  readonly url: string;
  readonly #tls: ChannelTls;
  readonly #clock: Clock;
  #session: ClientHttp2Session | undefined;
  /** All there are, with those that only end what they have under way. */
  readonly #sessions = new Set<ClientHttp2Session>();
  /** Why the connection failed last: streams that die with it say less. */
  #trouble: Error | undefined;

  constructor(url: string, tls: ChannelTls, clock: Clock) {
    this.url = url;
    this.#tls = tls;
    this.#clock = clock;
  }

  /** One question, one answer. Rejects with GrpcError. */
  unary(path: string, message: Uint8Array, metadata: Metadata, timeoutMs: number): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let answer: Buffer | undefined;
    const timer = this.#clock.setTimer(timeoutMs, () => {
      reject(new GrpcError(GRPC.deadlineExceeded, `${this.url} did not answer within ${timeoutMs} ms`, false));
      call.cancel();
    });
    const call = this.open(path, metadata, {
      message: (bytes) => {
        answer = bytes;
      },
      ended: (error) => {
        timer.cancel();
        if (answer && !error) resolve(answer);
        else reject(error ?? new GrpcError(GRPC.unavailable, `${this.url} gave an empty answer`, false));
      },
    });
    call.send(message);
    call.endSending();
    return promise;
  }

  /** A call that stays open in both directions. */
  open(path: string, metadata: Metadata, listener: CallListener): Call & { endSending(): void } {
    let stream: ClientHttp2Stream;
    try {
      stream = this.#connected().request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
        ...metadata,
      });
    } catch (error) {
      queueMicrotask(() => listener.ended(this.#explain(error as Error)));
      return { send: () => {}, cancel: () => {}, endSending: () => {} };
    }
    this.#listen(stream, listener);
    return {
      send: (message) => void stream.write(frame(message)),
      endSending: () => void stream.end(),
      cancel: () => stream.close(),
    };
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
    this.#session = undefined;
  }

  /** The next call makes a new connection, and what is under way goes on. False when there is none that was ever made. */
  retire(): boolean {
    const session = this.#session;
    if (!session || session.connecting) return false;
    this.#session = undefined;
    session.close();
    return true;
  }

  /** Drops the connection, so that the next call makes a new one. */
  reset(): void {
    this.close();
  }

  #connected(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(this.url, {
      ...this.#tls,
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
      maxSessionMemory: SESSION_MEGABYTES,
    });
    this.#session = session;
    this.#sessions.add(session);
    this.#trouble = undefined;
    // A session may be dropped between its connection and the word of it.
    session.once("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(WINDOW_BYTES);
    });
    session.on("error", (error) => {
      this.#trouble = error;
    });
    const forget = () => {
      if (this.#session === session) this.#session = undefined;
    };
    session.once("close", () => {
      this.#sessions.delete(session);
      forget();
    });
    session.once("goaway", forget);
    return session;
  }

  #listen(stream: ClientHttp2Stream, listener: CallListener): void {
    const frames = new FrameReader();
    let [status, failure] = [undefined as GrpcError | "ok" | undefined, undefined as Error | undefined];
    const readStatus = (headers: IncomingHttpHeaders) => {
      status ??= statusOf(headers, this.url);
    };
    stream.on("response", readStatus);
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => {
      for (const message of frames.push(chunk)) listener.message(message);
    });
    stream.on("error", (error) => {
      failure = error;
    });
    stream.once("close", () => {
      if (status === "ok") return listener.ended(undefined);
      listener.ended(status ?? this.#explain(this.#trouble ?? failure));
    });
  }

  #explain(error: Error | undefined): GrpcError {
    const words = error ? wordsFor(error) : "the connection was closed";
    return new GrpcError(GRPC.unavailable, `${this.url}: ${words}`, false);
  }
}

/** From the trailers, or from the headers of an answer that has nothing but a status. */
function statusOf(headers: IncomingHttpHeaders, url: string): GrpcError | "ok" | undefined {
  const { ":status": http, "grpc-status": code, "grpc-message": message } = headers;
  if (code === undefined) {
    if (http === undefined || Number(http) === 200) return undefined;
    return new GrpcError(GRPC.unavailable, `${url} answered with HTTP ${http}: that is no etcd`, false);
  }
  if (Number(code) === GRPC.ok) return "ok";
  return new GrpcError(Number(code), decoded(String(message ?? "")), true);
}

/** Percent-encoded as gRPC has it. What is not is shown as it came: who stands between may write anything. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch (error) {
    if (error instanceof URIError) return message;
    throw error;
  }
}

function wordsFor(error: Error): string {
  // A stream that never had a connection is cancelled because of what became of that.
  if (error.cause instanceof Error) return wordsFor(error.cause);
  const { code, message } = error as NodeJS.ErrnoException;
  // Several addresses of one name fail together, and then the message is empty.
  const inner = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : undefined;
  if (/alert (?:bad certificate|certificate|unknown ca|handshake failure)|certificate required/i.test(message)) {
    return "etcd does not take this client's certificate (--store-cert, --store-key)";
  }
  if (/wrong version number|packet length too long/.test(message)) return "no TLS is spoken there: http:// is meant";
  switch (inner?.code ?? code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name is not known";
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_GET_ISSUER_CERT":
      return "its certificate was not issued by the CA that was given (--store-ca)";
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired";
    default:
      return message || (inner?.message ?? "the connection failed");
  }
}
