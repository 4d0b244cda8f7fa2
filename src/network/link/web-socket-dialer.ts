/**
 * Links over WebSockets (RFC 6455) with TLS and a client certificate: how agents reach servers, and servers each other.
 * Certificate and CAs are asked for with each dial, so that renewed ones are used from the next link on.
 */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { notTakenWords, serverOutOfTime } from "../../model/certificate-time.ts";
import type { Clock } from "../../seams/clock.ts";
import { type Dialer, type Link, LinkError, type LinkListener } from "../../seams/link.ts";
import { closeReason } from "./socket-link.ts";

/** PEM: which CAs are believed, and who we are. */
export interface TlsMaterial {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export interface DialTarget {
  /** `https://HOST:PORT` of a server. */
  readonly server: string;
  /** With its query. */
  readonly path: string;
  readonly protocol: string;
}

export interface WebSocketDialerOptions extends DialTarget {
  readonly clock: Clock;
  material(): TlsMaterial;
}

/** Of one message. A frame of text has at most 8 Mi characters, of up to three bytes each. */
const LARGEST_MESSAGE = 24 * 1024 * 1024;
/** So long the other side may take to answer our goodbye. */
const CLOSE_MS = 1_000;
const MOST_REFUSAL_BYTES = 4_096;
const UNAUTHORIZED = 401;

export class WebSocketDialer implements Dialer {
  readonly #options: WebSocketDialerOptions;

  constructor(options: WebSocketDialerOptions) {
    this.#options = options;
  }

  /**
   * `refused` only when the host answered that nobody listens on the port. A server that listens and says no (a wrong
   * certificate, no leader at present) is there: that is no proof of anything.
   */
  dial(listener: LinkListener, signal: AbortSignal): Promise<Link> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    let socket: WebSocket;
    try {
      socket = this.#open();
    } catch (error) {
      // An address that is none, or a certificate that cannot be read: another server, or a later attempt, may do.
      return Promise.reject(new LinkError(`${this.#options.server}: ${(error as Error).message}`, false));
    }
    const onAbort = () => {
      reject(signal.reason);
      socket.terminate();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const fail = (message: string, refused = false) =>
      reject(new LinkError(`${this.#options.server}: ${message}`, refused));
    const link = new DialedLink(socket, listener, this.#options.clock);
    socket.on("open", () => {
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) return;
      link.begin();
      resolve(link);
    });
    socket.on("error", (error) => fail(this.#wordsOf(error), isRefusal(error)));
    socket.on("close", () => {
      signal.removeEventListener("abort", onAbort);
      fail("it closed the connection");
    });
    socket.on("unexpected-response", (request, response) => {
      // Until it has ended or was aborted; then "close" does not come from ws.
      void this.#refusalWords(response).then((words) => {
        fail(words);
        request.destroy();
        socket.terminate();
      });
    });
    return promise;
  }

  #open(): WebSocket {
    const { server, path, protocol, material } = this.#options;
    const { caPem, certPem, keyPem } = material();
    return new WebSocket(`${server.replace(/^http/, "ws")}${path}`, [protocol], {
      ca: caPem,
      cert: certPem,
      key: keyPem,
      minVersion: "TLSv1.2",
      perMessageDeflate: false,
      maxPayload: LARGEST_MESSAGE,
      followRedirects: false,
    });
  }

  #wordsOf(error: Error): string {
    if (error instanceof AggregateError)
      return [...new Set(error.errors.map((one: Error) => this.#wordsOf(one)))].join("; ");
    const { code = "" } = error as NodeJS.ErrnoException;
    return serverOutOfTime(code, "that server") ?? error.message;
  }

  #refusalWords(response: IncomingMessage): Promise<string> {
    if (response.statusCode !== UNAUTHORIZED) return refusalWords(response);
    const { clock, material } = this.#options;
    const certificate = new X509Certificate(material().certPem);
    return Promise.resolve(notTakenWords(certificate, response.headers.date, clock.now()));
  }
}

class DialedLink implements Link {
  readonly #socket: WebSocket;
  readonly #listener: LinkListener;
  readonly #clock: Clock;
  #isOpen = false;

  constructor(socket: WebSocket, listener: LinkListener, clock: Clock) {
    this.#socket = socket;
    this.#listener = listener;
    this.#clock = clock;
    socket.binaryType = "nodebuffer";
    // From the first moment: what comes with the handshake's answer must not be lost.
    socket.on("message", (data, isBinary) => this.#heard(data as Buffer, isBinary));
    socket.on("close", (code, reason) => this.#closed(reason.toString("utf8") || `closed with code ${code}`));
  }

  begin(): void {
    this.#isOpen = true;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string): void {
    if (this.#isOpen) this.#socket.send(frame);
  }

  sendBytes(frame: Uint8Array, sent?: () => void): void {
    if (this.#isOpen) this.#socket.send(frame, sent);
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.close(1000, closeReason(reason));
    this.#clock.setTimer(CLOSE_MS, () => this.#socket.terminate());
  }

  #heard(data: Buffer, isBinary: boolean): void {
    if (!this.#isOpen) return;
    if (isBinary) this.#listener.bytes?.(data);
    else this.#listener.frame(data.toString("utf8"));
  }

  #closed(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#listener.closed(reason);
  }
}

/** A host with several addresses gives one error with many inside: refused only if each of them was. */
function isRefusal(error: Error): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isRefusal);
  return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}

/** The words of our own error bodies, else the status. */
async function refusalWords(response: IncomingMessage): Promise<string> {
  const status = `it answered ${response.statusCode}`;
  try {
    let text = "";
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MOST_REFUSAL_BYTES) return status;
    }
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? error.message : status;
  } catch (error) {
    return error instanceof SyntaxError ? status : `${status}, and broke off`;
  }
}
