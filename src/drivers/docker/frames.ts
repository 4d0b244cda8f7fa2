/** Docker's multiplexed streams: frames of an 8-byte header [stream, 0, 0, 0, length big-endian] and as many bytes. */
import type { LogChunk } from "../../model/streams.ts";

const HEADER_BYTES = 8;
const NEWLINE = 0x0a;
/** A frame's length comes from the wire: more than this is no frame (Docker writes at most 16 KiB and a timestamp at a time). */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Splits a byte stream into chunks by stream. A cut-off last frame is given as far as it came. */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<LogChunk> {
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    held = held.length === 0 ? Buffer.from(piece) : Buffer.concat([held, piece]);
    let at = 0;
    while (held.length - at >= HEADER_BYTES) {
      const size = held.readUInt32BE(at + 4);
      if (size > MAX_FRAME_BYTES) throw new Error(`a frame of ${size} bytes in Docker's stream: it is not multiplexed`);
      if (held.length - at - HEADER_BYTES < size) break;
      const start = at + HEADER_BYTES;
      yield { stream: streamOf(held[at]), data: held.subarray(start, start + size) };
      at = start + size;
    }
    held = held.subarray(at);
  }
  if (held.length > HEADER_BYTES) yield { stream: streamOf(held[0]), data: held.subarray(HEADER_BYTES) };
}

/** The end of a log that is still written has also what comes while it is read: of that, no more lines than were asked for. */
export async function* firstLines(chunks: AsyncIterable<LogChunk>, lines: number): AsyncGenerator<LogChunk> {
  let left = lines;
  if (left <= 0) return;
  for await (const chunk of chunks) {
    yield chunk;
    if (chunk.data.at(-1) === NEWLINE && --left <= 0) return;
  }
}

/** The stream of a terminal: bytes as they are. */
export async function* readRaw(source: AsyncIterable<Uint8Array>): AsyncGenerator<LogChunk> {
  for await (const data of source) yield { stream: "stdout", data };
}

/** Takes off the timestamp that `timestamps=1` puts before each frame: RFC 3339 with nanoseconds and a space. */
export function splitTimestamp(chunk: LogChunk): LogChunk {
  const space = chunk.data.indexOf(0x20);
  if (space < 20 || space > 40) return chunk;
  const timeMs = Date.parse(Buffer.from(chunk.data.subarray(0, space)).toString("latin1"));
  if (Number.isNaN(timeMs)) return chunk;
  return { stream: chunk.stream, data: chunk.data.subarray(space + 1), timeMs };
}

function streamOf(kind: number | undefined): "stdout" | "stderr" {
  return kind === 2 ? "stderr" : "stdout";
}
