import { createWriteStream, existsSync, fstatSync, openSync, renameSync, type WriteStream } from "node:fs";
import type { Clock } from "../seams/clock.ts";

export interface FileBounds {
  /** From this size on a new file is begun. */
  readonly bytes: number;
  /** Full ones that are kept: PATH.1 is the newest. */
  readonly oldFiles: number;
}

/** What a disk that stands still may leave in memory: what comes beyond is lost, and counted. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** A disk that failed is tried again so often. */
const RETRY_MS = 1_000;

/**
 * An append-only file of lines that is moved aside when it is full. It never blocks and never grows without bounds: a disk that
 * cannot take a line costs that line and nothing else, and how many were lost is the first thing it hears when it works again.
 */
export class BoundedFile {
  readonly #path: string;
  readonly #bounds: FileBounds;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #lostLine: (lines: number) => string;
  #stream: WriteStream | undefined;
  #bytes = 0;
  #lost = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    path: string,
    bounds: FileBounds,
    clock: Pick<Clock, "monotonic">,
    lostLine: (lines: number) => string = () => "",
  ) {
    this.#path = path;
    this.#bounds = bounds;
    this.#clock = clock;
    this.#lostLine = lostLine;
  }

  write(line: string): void {
    const stream = this.#ready();
    if (!stream) {
      this.#lost++;
      return;
    }
    const text = this.#lost === 0 ? line : this.#lostLine(this.#lost) + line;
    this.#lost = 0;
    this.#bytes += Buffer.byteLength(text);
    stream.write(text);
  }

  /** Resolves when what was written is with the system, or lost. */
  close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (!stream || stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => stream.end(() => resolve()).once("error", () => resolve()));
  }

  #ready(): WriteStream | undefined {
    if (this.#stream && this.#bytes > this.#bounds.bytes) this.#rotate();
    if (this.#stream && this.#stream.writableLength > MOST_WAITING_BYTES) return undefined;
    if (!this.#stream && this.#clock.monotonic() - this.#failedAtMs >= RETRY_MS) this.#open();
    return this.#stream;
  }

  /** Opened at once: one that is opened later may be moved aside before it is there. */
  #open(): void {
    try {
      const fd = openSync(this.#path, "a", 0o600);
      this.#bytes = fstatSync(fd).size;
      const stream = createWriteStream(this.#path, { fd });
      stream.on("error", (error) => this.#failed(stream, error));
      this.#stream = stream;
    } catch (error) {
      this.#failed(undefined, error as Error);
    }
  }

  #failed(stream: WriteStream | undefined, error: Error): void {
    if (stream) this.#lost++;
    if (this.#stream !== stream) return;
    if (this.#failedAtMs === Number.NEGATIVE_INFINITY)
      process.stderr.write(`styr: cannot write ${this.#path}: ${error.message}\n`);
    this.#failedAtMs = this.#clock.monotonic();
    this.#stream = undefined;
  }

  #rotate(): void {
    this.#stream?.end();
    this.#stream = undefined;
    try {
      for (let n = this.#bounds.oldFiles - 1; n >= 1; n--) move(`${this.#path}.${n}`, `${this.#path}.${n + 1}`);
      move(this.#path, `${this.#path}.1`);
    } catch (error) {
      this.#failed(undefined, error as Error);
    }
  }
}

function move(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
}
