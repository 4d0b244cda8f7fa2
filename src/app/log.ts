import { mkdirSync } from "node:fs";
import { join } from "node:path";
import pino, { type Logger } from "pino";
import { redactText } from "../lib/redact.ts";
import { SystemClock } from "../seams/clock.ts";
import type { Log, LogFields } from "../seams/log.ts";
import { BoundedFile, type FileBounds } from "./bounded-file.ts";

const USUAL_BOUNDS: FileBounds = { bytes: 10 * 1024 * 1024, oldFiles: 3 };

/** Fields that must never be written, whoever passes them. */
const SECRET_FIELDS = ["token", "password", "authorization", "secret"].flatMap((name) => [name, `*.${name}`]);

/** Structured lines in `DIR/styr.log`, bounded: at 10 MiB a new file is begun, and three old ones are kept. Secrets are left out, in the middle of words too. */
export function openLog(dir: string, level: string, bounds: FileBounds = USUAL_BOUNDS): Log {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = new BoundedFile(join(dir, "styr.log"), bounds, new SystemClock(), lostLine);
  return new PinoLog(
    pino(
      { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: SECRET_FIELDS },
      { write: (line) => file.write(redactText(line)) },
    ),
  );
}

function lostLine(lines: number): string {
  const fields = { level: 40, time: new Date().toISOString(), lines, msg: "lines of this log could not be written" };
  return `${JSON.stringify(fields)}\n`;
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
