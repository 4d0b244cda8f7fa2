import type { ReadStream, WriteStream } from "node:tty";
import { socketCandidates } from "../client/locations.ts";
import { type Clock, SystemClock } from "../seams/clock.ts";
import { asTyped } from "./called-as.ts";
import { surroundings } from "./surroundings.ts";

/** The part of the process that commands talk to people through. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, "setRawMode" | "isTTY">>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Standard output is a terminal: tables are fitted to its width and progress is live. */
  readonly isTerminal: boolean;
  /** Standard error is one: progress is written there. */
  readonly isErrorTerminal: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  readonly colors: boolean;
  out(text: string): void;
  err(text: string): void;
  /** A hint with its commands as they can be typed here. */
  asTyped(hint: string): string;
  /** Bytes as they are. Resolves when there is room for more. */
  write(stream: "stdout" | "stderr", data: Uint8Array): Promise<void>;
  onResize(listener: () => void): () => void;
}

export function processTerminal(argv: readonly string[]): Terminal {
  const { stdin, stdout, stderr, env } = process;
  // no-color.org: present and not empty, whatever its value.
  const wantsColors = !env.NO_COLOR && env.TERM !== "dumb" && !argv.includes("--no-color");
  return {
    stdin,
    env,
    clock: new SystemClock(),
    isTerminal: stdout.isTTY === true,
    isErrorTerminal: stderr.isTTY === true,
    get columns() {
      return stdout.isTTY ? stdout.columns : undefined;
    },
    get rows() {
      return stdout.isTTY ? stdout.rows : undefined;
    },
    colors: stdout.isTTY === true && wantsColors,
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    asTyped: (hint) => asTyped(hint, argv, env, socketCandidates(surroundings(env))[0]),
    write: (stream, data) => writeAll(stream === "stdout" ? stdout : stderr, data),
    onResize(listener) {
      stdout.on("resize", listener);
      return () => stdout.off("resize", listener);
    },
  };
}

function writeAll(stream: WriteStream, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}

const CODES = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, gray: 90, bold: 1 } as const;
export type Color = keyof typeof CODES;

export function paint(text: string, color: Color | undefined, enabled: boolean): string {
  return enabled && color !== undefined && text !== "" ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
}
