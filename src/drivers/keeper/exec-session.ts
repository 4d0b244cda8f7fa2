import type { Socket } from "node:net";
import type { ExecRequest, ExecSession, LogChunk, TerminalSize } from "../../model/streams.ts";
import type { ExecSpec } from "./keeper.ts";
import { type ExecCall, type ExecInput, type ExecOutput, LineReader, lineOf } from "./protocol.ts";
import { unreachableKeeper } from "./start-keeper.ts";

/** Output waits here for its reader; above this the command is made to wait. */
const MOST_WAITING = 64;

/** Turns a fresh connection into a running command. */
export function openExecSession(socket: Socket, spec: ExecSpec, request: Omit<ExecRequest, "command">): ExecSession {
  const session = new KeptExecSession(socket);
  const terminal = request.tty ? (request.size ?? { columns: 80, rows: 24 }) : undefined;
  const args: ExecCall = { spec, stdin: request.stdin, ...(terminal ? { terminal } : {}) };
  socket.write(lineOf({ seq: 0, call: "exec", args }));
  return session;
}

class KeptExecSession implements ExecSession {
  readonly exitCode: Promise<number>;
  readonly output: AsyncIterable<LogChunk>;
  readonly #socket: Socket;
  readonly #waiting: LogChunk[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    const ended = Promise.withResolvers<number>();
    this.exitCode = ended.promise;
    this.output = this.#read();
    const reader = new LineReader();
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      for (const message of reader.read(text) as readonly ExecOutput[]) {
        if ("exitCode" in message) {
          if (message.error !== undefined) this.#push("stderr", Buffer.from(`${message.error}\n`));
          ended.resolve(message.exitCode);
        } else this.#push(message.stream, Buffer.from(message.data, "base64"));
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#isOver = true;
      this.#wake?.();
      // Without effect when the exit code has come.
      ended.reject(unreachableKeeper("the connection broke while the command ran"));
    });
    // Whoever only reads the output must not crash on it.
    this.exitCode.catch(() => undefined);
  }

  async write(data: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable || socket.write(lineOf({ data: Buffer.from(data).toString("base64") }))) return;
    const hasRoom = Promise.withResolvers<void>();
    // A command that ends reads nothing more.
    for (const event of ["drain", "close"]) socket.once(event, hasRoom.resolve);
    await hasRoom.promise;
    for (const event of ["drain", "close"]) socket.off(event, hasRoom.resolve);
  }

  endInput(): void {
    this.#send({ end: true });
  }

  resize(size: TerminalSize): void {
    this.#send({ size });
  }

  kill(): void {
    this.#send({ kill: true });
  }

  #send(message: ExecInput): void {
    if (this.#socket.writable) this.#socket.write(lineOf(message));
  }

  #push(stream: LogChunk["stream"], data: Uint8Array): void {
    this.#waiting.push({ stream, data });
    if (this.#waiting.length > MOST_WAITING) this.#socket.pause();
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<LogChunk> {
    for (;;) {
      for (let chunk = this.#waiting.shift(); chunk; chunk = this.#waiting.shift()) {
        if (this.#waiting.length <= MOST_WAITING / 2) this.#socket.resume();
        yield chunk;
      }
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
