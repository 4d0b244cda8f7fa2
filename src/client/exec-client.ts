import type { WebSocket as Socket } from "ws";
import { EXEC_CHANNEL, EXEC_PROTOCOL } from "../model/reports.ts";
import type { ExecRequest, TerminalSize } from "../model/streams.ts";
import { ClientError } from "./client-error.ts";
import type { Connection } from "./connection.ts";
import { workloadPath } from "./styr-client.ts";
import { beginSocket, opened } from "./web-socket.ts";

/** Input above this waits where it comes from. */
const MOST_BUFFERED_BYTES = 1024 * 1024;

export interface ExecTarget extends ExecRequest {
  readonly name: string;
  readonly container?: string;
}

export interface ExecHandlers {
  output(stream: "stdout" | "stderr", data: Uint8Array): void;
}

/** A command that runs in a copy of a workload. */
export class ExecClient {
  readonly #socket: Socket;
  readonly exitCode: Promise<number>;

  static async open(connection: Connection, target: ExecTarget, handlers: ExecHandlers): Promise<ExecClient> {
    const path = `${workloadPath(target.name)}/exec?${execQuery(target)}`;
    const socket = await beginSocket(connection, path, EXEC_PROTOCOL);
    const client = new ExecClient(socket, handlers);
    await opened(socket, connection);
    return client;
  }

  private constructor(socket: Socket, handlers: ExecHandlers) {
    this.#socket = socket;
    this.exitCode = new Promise((resolve, reject) => {
      socket.on("message", (data: Buffer) => {
        const payload = data.subarray(1);
        if (data[0] === EXEC_CHANNEL.stdout) handlers.output("stdout", payload);
        else if (data[0] === EXEC_CHANNEL.stderr) handlers.output("stderr", payload);
        else if (data[0] === EXEC_CHANNEL.status) settle(payload.toString(), resolve, reject);
      });
      socket.on("close", () => reject(new ClientError("the connection ended before the command did")));
    });
    // Whoever opened it awaits it; a refusal before that is reported by `open`.
    this.exitCode.catch(() => undefined);
  }

  /** Resolves when there is room for more. */
  async write(data: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#send(EXEC_CHANNEL.stdin, data, resolve);
    if (this.#socket.bufferedAmount > MOST_BUFFERED_BYTES) await promise;
  }

  endInput(): void {
    this.#send(EXEC_CHANNEL.close, Uint8Array.of(EXEC_CHANNEL.stdin));
  }

  resize(size: TerminalSize): void {
    this.#send(EXEC_CHANNEL.resize, Buffer.from(JSON.stringify(size)));
  }

  close(): void {
    this.#socket.close();
  }

  #send(channel: number, payload: Uint8Array, sent: () => void = () => {}): void {
    const { readyState, OPEN } = this.#socket;
    if (readyState === OPEN) this.#socket.send(Buffer.concat([Uint8Array.of(channel), payload]), () => sent());
    else sent();
  }
}

function settle(status: string, resolve: (code: number) => void, reject: (error: Error) => void): void {
  const { exitCode, message } = JSON.parse(status) as { exitCode?: number; message?: string };
  if (exitCode !== undefined) resolve(exitCode);
  else reject(new ClientError(message ?? "the command broke off"));
}

function execQuery({ command, tty, stdin, size, container }: ExecTarget): URLSearchParams {
  const query = new URLSearchParams(command.map((word): [string, string] => ["command", word]));
  query.set("tty", String(tty));
  query.set("stdin", String(stdin));
  if (container !== undefined) query.set("container", container);
  if (size) {
    query.set("columns", String(size.columns));
    query.set("rows", String(size.rows));
  }
  return query;
}
