/**
 * Where questions come in. A port is shared with the server that is to be replaced (SO_REUSEPORT), so that there is always one that
 * answers; with nobody else, which is made sure of first.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock, Timer } from "../../../seams/clock.ts";
import type { Answerer } from "./answerer.ts";
import { boundNeighbours } from "./bound-neighbours.ts";
import type { Counters } from "./counters.ts";
import { IDLE_MS, TcpPlaces } from "./tcp-places.ts";

export interface DoorsOptions {
  readonly address: string;
  readonly port: number;
  readonly answerer: Answerer;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

const AGAIN_MS = 250;
/** Room for a burst while the program is at something else; the kernel may give less. */
const BUFFER_BYTES = 4 * 1024 * 1024;
const LONGEST_QUESTION = 4096;
/**
 * Answers that wait for the kernel. It holds those to addresses that nobody has (ARP asks three times, for 3 s), and everybody's others
 * wait behind them: what came too late is asked again, and not sent any more.
 */
const MOST_UNSENT = 256;
const JAM_MS = 2000;
/** What has come in before a port is closed is answered. */
const LAST_ANSWERS_MS = 50;

export class DnsDoors {
  readonly #options: DoorsOptions;
  readonly #places = new TcpPlaces<Socket>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  #timer: Timer | undefined;
  #problem: string | undefined = "it has not been told anything yet";
  #isWaiting = false;
  #isClosed = false;
  #isGone = false;
  /** Since when answers wait to leave. */
  #jammedAtMs: number | undefined;

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Answers do not leave, in words. */
  get jam(): string | undefined {
    const { clock, counters } = this.#options;
    if (this.#jammedAtMs === undefined || clock.monotonic() - this.#jammedAtMs < JAM_MS) return undefined;
    return `answers do not leave (${counters.counts.dropped} were dropped): somebody asks from addresses that no pod has`;
  }

  /** There is no bridge with that address: a host without an engine has no pods that could ask. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  get isOpen(): boolean {
    return this.#udp !== undefined && this.#tcp !== undefined;
  }

  /** Tries again until it can: the bridge may be made later. `isBeside`: the one that is there is our predecessor. */
  async open(isBeside: boolean): Promise<void> {
    if (this.isOpen || this.#isClosed) return;
    this.#timer?.cancel();
    try {
      if (!isBeside) await this.#mustBeFree();
      this.#udp ??= await this.#openUdp(true);
      this.#tcp ??= await this.#openTcp();
      this.#problem = undefined;
      this.#isWaiting = false;
      boundNeighbours(this.#options.address, this.#options.report);
      this.#options.report(`listens on ${this.#options.address} port ${this.#options.port}`);
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
      this.#timer = this.#options.clock.setTimer(AGAIN_MS, () => void this.open(isBeside));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#tcp?.close();
    // Forwarded questions have their answers by then, or not at all.
    if (this.#udp) await this.#options.clock.sleep(LAST_ANSWERS_MS);
    // Right behind a look at what has come in: the kernel throws away what has not been read.
    await nextTurn();
    this.#isGone = true;
    this.#udp?.close();
    for (const socket of this.#places.all) socket.end();
  }

  /** A socket that shares with nobody takes the port and gives it back. */
  async #mustBeFree(): Promise<void> {
    const socket = await this.#openUdp(false);
    const closed = Promise.withResolvers<void>();
    socket.close(() => closed.resolve());
    await closed.promise;
  }

  #fail({ code, message }: NodeJS.ErrnoException): void {
    this.#isWaiting = code === "EADDRNOTAVAIL";
    const { address, port, report } = this.#options;
    const words: Readonly<Record<string, string>> = {
      EADDRINUSE: `another program answers on ${address} port ${port}: see who with ss -lunp`,
      EADDRNOTAVAIL: `this host has no address ${address} yet`,
      EACCES: `port ${port} needs root`,
    };
    const problem = words[code ?? ""] ?? message;
    if (problem !== this.#problem) report(problem);
    this.#problem = problem;
  }

  #openUdp(isShared: boolean): Promise<UdpSocket> {
    const { address, port, answerer, report } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<UdpSocket>();
    // Its own look-up of an address that is one already: without it, each answer waits for the next turn of the event loop.
    const lookup = (host: string, _options: unknown, found: (error: null, host: string, family: 4) => void) =>
      found(null, host, 4);
    const socket = createSocket({ type: "udp4", reusePort: isShared, lookup: lookup as never });
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off("error", reject);
      socket.on("error", (error) => report(`UDP: ${error.message}`));
      if (isShared) socket.setRecvBufferSize(BUFFER_BYTES);
      if (isShared) socket.setSendBufferSize(BUFFER_BYTES);
      resolve(socket);
    });
    if (isShared)
      socket.on("message", (bytes, from) =>
        answerer.answer(bytes, from.address, "udp", (answer) => {
          // One whose answer comes after the end is none of our business.
          if (!this.#isGone) this.#send(socket, answer, from);
        }),
      );
    return promise;
  }

  #send(
    socket: UdpSocket,
    answer: Buffer,
    { port, address }: { readonly port: number; readonly address: string },
  ): void {
    const { counters, clock } = this.#options;
    const unsent = socket.getSendQueueCount();
    if (unsent === 0) this.#jammedAtMs = undefined;
    else this.#jammedAtMs ??= clock.monotonic();
    if (unsent >= MOST_UNSENT) {
      counters.count("dropped");
      return;
    }
    // A client that has gone is none of our business.
    socket.send(answer, port, address, () => {
      if (!this.#isGone && socket.getSendQueueCount() === 0) this.#jammedAtMs = undefined;
    });
  }

  #openTcp(): Promise<Server> {
    const { address, port, report } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Server>();
    const server = createServer((socket) => this.#accept(socket));
    server.once("error", reject);
    server.listen({ host: address, port, reusePort: true }, () => {
      server.off("error", reject);
      server.on("error", (error) => report(`TCP: ${error.message}`));
      resolve(server);
    });
    return promise;
  }

  #accept(socket: Socket): void {
    const source = socket.remoteAddress ?? "";
    const { clock } = this.#options;
    const place = this.#places.enter(socket, source, clock.monotonic());
    if (place === false) return void socket.destroy();
    place.inPlaceOf?.destroy();
    socket.on("close", () => this.#places.leave(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && !socket.destroyed) {
        const length = rest.readUInt16BE(0);
        if (length > LONGEST_QUESTION) return void socket.destroy();
        if (rest.length < 2 + length) break;
        this.#places.asked(socket, clock.monotonic());
        this.#answer(socket, source, rest.subarray(2, 2 + length));
        rest = rest.subarray(2 + length);
      }
      // Whoever sends a byte now and then asks nothing.
      if (this.#places.isIdle(socket, clock.monotonic())) socket.destroy();
    });
  }

  #answer(socket: Socket, source: string, question: Buffer): void {
    this.#options.answerer.answer(question, source, "tcp", (answer) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      if (socket.writable) socket.write(Buffer.concat([length, answer]));
      // One that asks and does not read is not waited for.
      if (socket.writableLength > BUFFER_BYTES) socket.destroy();
    });
  }
}
