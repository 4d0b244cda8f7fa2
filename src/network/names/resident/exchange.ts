/** One question to one other server. A port and a number of its own for each, so that nobody else can guess an answer to it. */
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { MalformedMessage } from "../wire/library.ts";
import { questionBytes } from "../wire/message.ts";
import { readUpstreamAnswer, type UpstreamAnswer } from "../wire/read-answer.ts";

export interface OutwardQuestion {
  readonly question: Uint8Array;
  readonly isCheckingDisabled: boolean;
  /** Absent: without EDNS. */
  readonly edns?: { readonly isDnssec: boolean };
}

export interface ExchangeOptions {
  readonly server: string;
  readonly id: number;
  readonly signal: AbortSignal;
}

const PORT = 53;

/** Rejects when the server cannot be reached, or `signal` aborts. What does not belong to the question is not heard. */
export function askByUdp(asked: OutwardQuestion, { server, id, signal }: ExchangeOptions): Promise<UpstreamAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamAnswer>();
  const socket = createSocket({ type: isIPv6(server) ? "udp6" : "udp4", signal });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`${server} did not answer in time`)));
  socket.on("message", (bytes) => {
    const answer = quietly(() => readUpstreamAnswer(Buffer.from(bytes), id, asked.question));
    if (answer) resolve(answer);
  });
  socket.connect(PORT, server, (error?: Error) => {
    if (error) reject(error);
    else socket.send(questionBytes(id, asked), (failure) => failure && reject(failure));
  });
  return promise.finally(() => signal.aborted || closeOnce(socket));
}

function closeOnce(socket: ReturnType<typeof createSocket>): void {
  socket.removeAllListeners("message");
  socket.close();
}

export function askByTcp(asked: OutwardQuestion, { server, id, signal }: ExchangeOptions): Promise<UpstreamAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamAnswer>();
  const socket = connect({ port: PORT, host: server, signal });
  const chunks: Buffer[] = [];
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`${server} closed the connection`)));
  socket.on("data", (chunk) => {
    chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
    const answer = quietly(() => readUpstreamAnswer(bytes.subarray(2, 2 + bytes.readUInt16BE(0)), id, asked.question));
    if (answer) resolve(answer);
    else reject(new Error(`${server} answers something else`));
  });
  const message = questionBytes(id, asked);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  socket.write(Buffer.concat([length, message]));
  return promise.finally(() => socket.destroy());
}

function quietly(read: () => UpstreamAnswer | undefined): UpstreamAnswer | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}
