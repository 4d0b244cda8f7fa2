/**
 * Streams on the link of an agent's session: logs, commands, usage and forwarded connections. Frames of bytes, each of one
 * byte for what it is, four for the stream's number (big endian), and the rest. Numbers are given by the dispatcher.
 */
import { HTTP_STATUS, type RefusalReason } from "../../../model/errors.ts";
import { FrameError } from "../shape.ts";

/** Which of a command's streams; connections have one, and call it `stdout`. */
export type Channel = "stdin" | "stdout" | "stderr";

export interface Piece {
  readonly channel: Channel;
  readonly data: Uint8Array;
  /** When it was written, if that is known. */
  readonly timeMs?: number;
}

export type StreamFrame =
  /** By the dispatcher: what it is to carry. */
  | { readonly type: "open"; readonly stream: number; readonly value: unknown }
  /** By the agent: a command or a connection is there. */
  | { readonly type: "ready"; readonly stream: number }
  | { readonly type: "data"; readonly stream: number; readonly piece: Piece }
  /** So much more may be sent. */
  | { readonly type: "credit"; readonly stream: number; readonly bytes: number }
  /** Beside the data, before what waits of it. */
  | { readonly type: "control"; readonly stream: number; readonly value: unknown }
  /** This side has said all. */
  | { readonly type: "end"; readonly stream: number; readonly value: unknown }
  /** The stream is over for both sides, at once. */
  | { readonly type: "reset"; readonly stream: number; readonly reason: RefusalReason; readonly message: string };

const TYPES = ["open", "ready", "data", "credit", "control", "end", "reset"] as const;
const CHANNELS: readonly Channel[] = ["stdin", "stdout", "stderr"];
const HEAD_BYTES = 5;
/** Set in a piece's first byte: eight more follow, the time in milliseconds as a float. */
const WITH_TIME = 0x80;
const TIME_BYTES = 8;
const MOST_JSON_BYTES = 256 * 1024;

export function encodeFrame(frame: StreamFrame): Uint8Array {
  const body = bodyOf(frame);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.reduce((sum, part) => sum + part.length, 0));
  bytes[0] = TYPES.indexOf(frame.type);
  bytes.writeUInt32BE(frame.stream, 1);
  let at = HEAD_BYTES;
  for (const part of body) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function bodyOf(frame: StreamFrame): readonly Uint8Array[] {
  switch (frame.type) {
    case "ready":
      return [];
    case "data":
      return [headOf(frame.piece), frame.piece.data];
    case "credit": {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeUInt32BE(frame.bytes);
      return [bytes];
    }
    case "reset":
      return [json([frame.reason, frame.message])];
    default:
      return [json(frame.value ?? null)];
  }
}

function headOf({ channel, timeMs }: Piece): Uint8Array {
  const number = CHANNELS.indexOf(channel);
  if (timeMs === undefined) return Uint8Array.of(number);
  const head = Buffer.allocUnsafe(1 + TIME_BYTES);
  head[0] = number | WITH_TIME;
  head.writeDoubleBE(timeMs, 1);
  return head;
}

/** Throws FrameError. The data of a piece lies in `bytes`. */
export function decodeFrame(bytes: Uint8Array): StreamFrame {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < HEAD_BYTES) throw new FrameError("a frame of bytes without a head");
  const type = TYPES[buffer[0] ?? -1];
  const stream = buffer.readUInt32BE(1);
  const body = buffer.subarray(HEAD_BYTES);
  switch (type) {
    case "ready":
      return { type, stream };
    case "data":
      return { type, stream, piece: pieceOf(body) };
    case "credit":
      if (body.length !== 4) throw new FrameError("a credit without an amount");
      return { type, stream, bytes: body.readUInt32BE(0) };
    case "reset":
      return { type, stream, ...refusalOf(parsed(body)) };
    case "open":
    case "control":
    case "end":
      return { type, stream, value: parsed(body) };
    default:
      throw new FrameError("a frame of bytes of no known type");
  }
}

function pieceOf(body: Buffer): Piece {
  const first = body[0];
  const channel = first === undefined ? undefined : CHANNELS[first & ~WITH_TIME];
  if (first === undefined || channel === undefined) throw new FrameError("a piece of no known channel");
  if ((first & WITH_TIME) === 0) return { channel, data: body.subarray(1) };
  if (body.length < 1 + TIME_BYTES) throw new FrameError("a piece without its time");
  const timeMs = body.readDoubleBE(1);
  if (!Number.isFinite(timeMs)) throw new FrameError("a piece of no time");
  return { channel, data: body.subarray(1 + TIME_BYTES), timeMs };
}

function refusalOf(value: unknown): { readonly reason: RefusalReason; readonly message: string } {
  const [reason, message] = Array.isArray(value) ? value : [];
  const known = typeof reason === "string" && Object.hasOwn(HTTP_STATUS, reason);
  if (!known || typeof message !== "string") throw new FrameError("a stream's end without a reason");
  return { reason: reason as RefusalReason, message };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function parsed(body: Buffer): unknown {
  if (body.length > MOST_JSON_BYTES) throw new FrameError(`a frame with ${body.length} bytes of JSON`);
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new FrameError(`a frame of bytes that is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}
