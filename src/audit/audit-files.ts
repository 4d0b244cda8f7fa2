/** `audit.log`, `audit.log.1`, …: appended to, moved aside when full, read from the end. Only the owner can read them. */
import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

export interface AuditBounds {
  /** With the one that is written to. */
  readonly files: number;
  readonly fileBytes: number;
}

const NAME = "audit.log";
const READ_BYTES = 64 * 1024;
const NEWLINE = 10;

export class AuditFiles {
  readonly #dir: string;
  #handle: FileHandle | undefined;
  #bytes = 0;
  /** The last append broke off: half a line may be there. */
  #isTorn = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Throws what the file system says; then some of it may have been written all the same. */
  async append(lines: string, bounds: AuditBounds): Promise<void> {
    this.#handle ??= await this.#open();
    if (this.#bytes > 0 && this.#bytes + Buffer.byteLength(lines) > bounds.fileBytes) await this.#rotate(bounds);
    const data = Buffer.from(this.#isTorn ? `\n${lines}` : lines);
    this.#isTorn = true;
    await this.#handle.appendFile(data);
    this.#isTorn = false;
    this.#bytes += data.length;
  }

  /** Opened anew by the next append: what is in the way may have been taken away. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** Lines of all files, the newest first. What is written meanwhile is not among them. */
  async *backwards(): AsyncGenerator<string, void, undefined> {
    const read = new Set<number>();
    for (let at = 0; ; at++) {
      const handle = await openIfThere(this.#path(at));
      // Between two files there may be none to write to.
      if (!handle && at === 0) continue;
      if (!handle) return;
      try {
        const { ino, size } = await handle.stat();
        // Moved aside since we began: it was the one before.
        if (!read.has(ino)) yield* linesBackwards(handle, size);
        read.add(ino);
      } finally {
        await handle.close();
      }
    }
  }

  #path(at: number): string {
    return join(this.#dir, at === 0 ? NAME : `${NAME}.${at}`);
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.#path(0), "a", 0o600);
    this.#bytes = (await handle.stat()).size;
    // Of a process that was killed the last line may be half.
    this.#isTorn = this.#bytes > 0 && !(await endsWithNewline(this.#path(0), this.#bytes));
    return handle;
  }

  async #rotate({ files }: AuditBounds): Promise<void> {
    await this.close();
    for (const at of await this.#numbers()) {
      if (at >= files - 1) await rm(this.#path(at), { force: true });
      else await rename(this.#path(at), this.#path(at + 1));
    }
    this.#handle = await this.#open();
  }

  /** Of the files that are there, the oldest first. */
  async #numbers(): Promise<readonly number[]> {
    const names = await readdir(this.#dir);
    return names
      .flatMap((name) => {
        if (name === NAME) return [0];
        const number = name.startsWith(`${NAME}.`) ? name.slice(NAME.length + 1) : "";
        return /^[1-9]\d{0,5}$/.test(number) ? [Number(number)] : [];
      })
      .sort((a, b) => b - a);
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function endsWithNewline(path: string, size: number): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === NEWLINE;
  } finally {
    await handle.close();
  }
}

async function* linesBackwards(handle: FileHandle, size: number): AsyncGenerator<string, void, undefined> {
  let rest = Buffer.alloc(0);
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - READ_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - begin), 0, end - begin, begin);
    const chunk = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
    const first = begin === 0 ? -1 : chunk.indexOf(NEWLINE);
    // The line that begins before this chunk is whole with the next one.
    rest = begin === 0 ? Buffer.alloc(0) : first < 0 ? chunk : chunk.subarray(0, first);
    const whole = first < 0 && begin > 0 ? "" : chunk.subarray(first + 1).toString("utf8");
    for (const line of whole.split("\n").reverse()) if (line !== "") yield line;
    end = begin;
  }
}
