import { type FileHandle, open, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { LogChunk, LogOptions } from "../../model/streams.ts";
import { LOG_STREAMS, type LogStream, logFile } from "./log-rotation.ts";

const CHUNK_BYTES = 64 * 1024;
const FOLLOW_MS = 150;

export interface ReadLogsOptions extends Omit<LogOptions, "previous"> {
  /** Whether nothing will be written any more; ends following. Without it following ends by `signal` alone. */
  readonly hasEnded?: () => Promise<boolean>;
}

/**
 * What processes wrote to a keeper's `logDir`, oldest first. Lines carry no time, so the order between stdout and stderr
 * is only that of their files: the one written to last comes last, and `tailLines` takes from it first. `sinceMs` leaves
 * out files not written to since. No directory = nothing written.
 */
export async function* readLogs(logDir: string, options: ReadLogsOptions = {}): AsyncGenerator<LogChunk> {
  const readers = await readersInOrder(logDir);
  let wanted = options.tailLines;
  for (const reader of readers.toReversed()) {
    const lines = await reader.start(wanted, options.sinceMs ?? 0);
    if (wanted !== undefined) wanted -= lines;
  }
  for (const reader of readers) yield* reader.more();
  while (options.follow && !options.signal?.aborted) {
    // Asked before reading: what is written before the end is still read.
    const isOver = (await options.hasEnded?.()) ?? false;
    for (const reader of readers) yield* reader.more();
    if (isOver) return;
    await pause(options.signal);
  }
}

/** The one written to last comes last; stderr when both were. */
async function readersInOrder(logDir: string): Promise<readonly StreamReader[]> {
  const dated = await Promise.all(
    LOG_STREAMS.map(async (stream) => ({
      reader: new StreamReader(logDir, stream),
      ...(await sizeOf(logFile(logDir, stream))),
    })),
  );
  return dated.sort((a, b) => a.mtimeMs - b.mtimeMs).map(({ reader }) => reader);
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(FOLLOW_MS, undefined, signal ? { signal } : {});
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** One stream: its rotated file, then its present one, across rotations. */
class StreamReader {
  readonly #logDir: string;
  readonly #stream: LogStream;
  /** Where reading goes on in the present file. */
  #offset = 0;
  /** Where to begin in the rotated file; undefined when that is done. */
  #rotatedOffset: number | undefined;

  constructor(logDir: string, stream: LogStream) {
    this.#logDir = logDir;
    this.#stream = stream;
  }

  /** Finds where to begin. Gives how many of the `tailLines` there are. */
  async start(tailLines: number | undefined, sinceMs: number): Promise<number> {
    const [present, rotated] = [await sizeOf(this.#file()), await sizeOf(this.#file(true))];
    this.#offset = present.mtimeMs < sinceMs ? present.size : 0;
    this.#rotatedOffset = rotated.size > 0 && rotated.mtimeMs >= sinceMs ? 0 : undefined;
    if (tailLines === undefined) return 0;
    const inPresent = await tailOffset(this.#file(), tailLines);
    this.#offset = Math.max(this.#offset, inPresent.offset);
    const missing = tailLines - inPresent.lines;
    if (missing <= 0) this.#rotatedOffset = undefined;
    if (this.#rotatedOffset === undefined) return inPresent.lines;
    const inRotated = await tailOffset(this.#file(true), missing);
    this.#rotatedOffset = inRotated.offset;
    return inPresent.lines + inRotated.lines;
  }

  async *more(): AsyncGenerator<LogChunk> {
    if (this.#rotatedOffset !== undefined) {
      for await (const data of chunksOf(this.#file(true), this.#rotatedOffset)) yield { stream: this.#stream, data };
      this.#rotatedOffset = undefined;
    }
    const { size } = await sizeOf(this.#file());
    if (size < this.#offset) {
      // Rotated meanwhile: what had not been read is now in the rotated file, if that was not cut.
      for await (const data of chunksOf(this.#file(true), this.#offset)) yield { stream: this.#stream, data };
      this.#offset = 0;
    }
    for await (const data of chunksOf(this.#file(), this.#offset)) {
      this.#offset += data.length;
      yield { stream: this.#stream, data };
    }
  }

  #file(rotated = false): string {
    return logFile(this.#logDir, this.#stream, rotated);
  }
}

async function sizeOf(file: string): Promise<{ readonly size: number; readonly mtimeMs: number }> {
  try {
    return await stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { size: 0, mtimeMs: 0 };
    throw error;
  }
}

async function* chunksOf(file: string, from: number): AsyncGenerator<Uint8Array> {
  const handle = await openIfThere(file);
  if (!handle) return;
  try {
    for (let at = from; ; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Where the last `count` lines begin, and how many there are up to `count`. */
async function tailOffset(file: string, count: number): Promise<{ readonly offset: number; readonly lines: number }> {
  const handle = await openIfThere(file);
  if (!handle) return { offset: 0, lines: 0 };
  try {
    const { size } = await handle.stat();
    if (count <= 0) return { offset: size, lines: 0 };
    let lines = 0;
    for (let end = size; end > 0; end -= CHUNK_BYTES) {
      const begin = Math.max(0, end - CHUNK_BYTES);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - begin), 0, end - begin, begin);
      for (let at = bytesRead - 1; at >= 0; at--) {
        // A newline at the very end closes the last line; it does not begin another.
        if (buffer[at] !== 0x0a || begin + at === size - 1) continue;
        lines++;
        if (lines === count) return { offset: begin + at + 1, lines };
      }
    }
    return { offset: 0, lines: size > 0 ? lines + 1 : 0 };
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
