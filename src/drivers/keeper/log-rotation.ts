import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const LOG_STREAMS = ["stdout", "stderr"] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

/** The file a stream is written to, and the one before it. */
export function logFile(logDir: string, stream: LogStream, previous = false): string {
  return join(logDir, previous ? `${stream}.log.1` : `${stream}.log`);
}

/** Each stream has a file and the one before it; together they hold `logBytes`. */
export function bytesPerFile(logBytes: number): number {
  return Math.max(4096, Math.floor(logBytes / 4));
}

/**
 * Copies what a file holds to its predecessor and empties it, once it is larger than its share. Safe because every writer
 * has it open with O_APPEND; what is written between the copy and the cut is lost. Gives the bytes it had.
 */
export function rotateLog(logDir: string, stream: LogStream, logBytes: number): number {
  const file = logFile(logDir, stream);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const share = bytesPerFile(logBytes);
  if (size <= share) return size;
  const previous = logFile(logDir, stream, true);
  if (size <= 2 * share) copyFileSync(file, previous);
  else writeFileSync(previous, lastLines(file, size, share), { mode: 0o640 });
  truncateSync(file);
  return size;
}

/** The last `count` bytes, from the start of a line. */
function lastLines(file: string, size: number, count: number): Uint8Array {
  const data = Buffer.alloc(count);
  const descriptor = openSync(file, "r");
  try {
    const read = readSync(descriptor, data, 0, count, size - count);
    const newline = data.indexOf(0x0a);
    return data.subarray(newline < 0 || newline + 1 >= read ? 0 : newline + 1, read);
  } finally {
    closeSync(descriptor);
  }
}

const IDLE_MS = 250;
const BUSY_MS = 20;

/** Keeps the log files of running processes within their bounds. */
export class LogRotation {
  readonly #watched = new Map<string, { bytes: number; users: number }>();
  readonly #report: (message: string) => void;
  readonly #sizes = new Map<string, number>();
  readonly #failing = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  add(logDir: string, logBytes: number): void {
    const known = this.#watched.get(logDir);
    this.#watched.set(logDir, { bytes: logBytes, users: (known?.users ?? 0) + 1 });
    this.#timer ??= setTimeout(() => this.#check(), BUSY_MS);
  }

  remove(logDir: string): void {
    const known = this.#watched.get(logDir);
    if (!known) return;
    known.users--;
    if (known.users > 0) return;
    this.#rotate(logDir, known.bytes);
    this.#watched.delete(logDir);
    for (const stream of LOG_STREAMS) this.#sizes.delete(logFile(logDir, stream));
  }

  #check(): void {
    let isBusy = false;
    for (const [logDir, { bytes }] of this.#watched) isBusy = this.#rotate(logDir, bytes) || isBusy;
    this.#timer = this.#watched.size > 0 ? setTimeout(() => this.#check(), isBusy ? BUSY_MS : IDLE_MS) : undefined;
  }

  /** Whether it fills so fast that it may pass its bound before the next idle check. */
  #rotate(logDir: string, logBytes: number): boolean {
    let isFast = false;
    for (const stream of LOG_STREAMS) {
      const file = logFile(logDir, stream);
      try {
        const size = rotateLog(logDir, stream, logBytes);
        isFast = size - (this.#sizes.get(file) ?? 0) > bytesPerFile(logBytes) / 4 || isFast;
        this.#sizes.set(file, size > bytesPerFile(logBytes) ? 0 : size);
        this.#failing.delete(file);
      } catch (error) {
        // Once, not four times a second: most often the disk is full.
        if (this.#failing.has(file)) continue;
        this.#failing.add(file);
        this.#report(`cannot rotate ${file}: ${(error as Error).message}`);
      }
    }
    return isFast;
  }
}
