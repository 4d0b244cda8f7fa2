import { createWriteStream, existsSync, mkdirSync, renameSync, statSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import pino, { type Logger } from "pino";
import type { Log, LogFields } from "../seams/log.ts";

const LARGEST_FILE_BYTES = 10 * 1024 * 1024;
const OLD_FILES = 3;

/** Fields that must never be written, whoever passes them. */
const SECRET_FIELDS = [
  "token",
  "password",
  "authorization",
  "secret",
  "*.token",
  "*.password",
  "*.authorization",
  "*.secret",
];

/** Structured lines in `DIR/styr.log`, bounded: at 10 MiB a new file is begun, and three old ones are kept. */
export function openLog(dir: string, level: string): Log {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = new BoundedFile(join(dir, "styr.log"));
  return new PinoLog(
    pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: SECRET_FIELDS }, file),
  );
}

class PinoLog implements Log {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#logger.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#logger.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#logger.warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#logger.error(fields, message);
  }

  with(fields: LogFields): Log {
    return new PinoLog(this.#logger.child(fields));
  }
}

/** An append-only file that is moved aside when it is full. A disk that cannot take a line costs that line and nothing else. */
class BoundedFile {
  readonly #path: string;
  #stream: WriteStream;
  #bytes: number;

  constructor(path: string) {
    this.#path = path;
    this.#bytes = existsSync(path) ? statSync(path).size : 0;
    this.#stream = this.#open();
  }

  write(line: string): void {
    if (this.#bytes > LARGEST_FILE_BYTES) this.#rotate();
    this.#bytes += Buffer.byteLength(line);
    this.#stream.write(line);
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#path, { flags: "a", mode: 0o600 });
    stream.on("error", (error) => process.stderr.write(`styr: cannot write ${this.#path}: ${error.message}\n`));
    return stream;
  }

  #rotate(): void {
    this.#stream.end();
    for (let n = OLD_FILES - 1; n >= 1; n--) {
      if (existsSync(`${this.#path}.${n}`)) renameSync(`${this.#path}.${n}`, `${this.#path}.${n + 1}`);
    }
    renameSync(this.#path, `${this.#path}.1`);
    this.#bytes = 0;
    this.#stream = this.#open();
  }
}
