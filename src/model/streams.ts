import type { NetworkAnswer, NetworkQuestion } from "./network-questions.ts";

/** One piece of a container's output. `data` may end in the middle of a line. */
export interface LogChunk {
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
  /** When it was written, if the driver knows. */
  readonly timeMs?: number;
}

export interface LogOptions {
  readonly follow?: boolean;
  /** The last N lines; all when absent. */
  readonly tailLines?: number;
  readonly sinceMs?: number;
  /** The run before the present one. */
  readonly previous?: boolean;
  readonly signal?: AbortSignal;
}

export interface ExecRequest {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly size?: TerminalSize;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A command running inside a container. */
export interface ExecSession {
  readonly output: AsyncIterable<LogChunk>;
  /** Where it can tell, resolves when there is room for more. */
  write(data: Uint8Array): void | Promise<void>;
  endInput(): void;
  resize(size: TerminalSize): void;
  /** Resolves when the command has ended. */
  readonly exitCode: Promise<number>;
  kill(): void;
}

/** Bytes both ways: a TCP connection into a pod. */
export interface ByteStream {
  /** Ends when the other side has said all; throws when the connection breaks. What is not read is not sent. */
  readonly readable: AsyncIterable<Uint8Array>;
  /** Resolves when there is room for more. */
  write(data: Uint8Array): Promise<void>;
  /** We have said all. */
  end(): void;
  destroy(): void;
}

/** Averages since the last reading. */
export interface Usage {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** The way to a pod's node, for logs and commands; whoever serves an API gets one from app/. `container` may be left out when there is only one. */
export interface NodeAccess {
  logs(
    pod: { readonly nodeName: string; readonly uid: string; readonly container?: string },
    options: LogOptions,
  ): AsyncIterable<LogChunk>;
  exec(
    pod: { readonly nodeName: string; readonly uid: string; readonly container?: string },
    request: ExecRequest,
  ): Promise<ExecSession>;
  /** Connects to a TCP port of the pod as one inside of it would. */
  forward?(pod: { readonly nodeName: string; readonly uid: string }, port: number): Promise<ByteStream>;
  usage(pod: { readonly nodeName: string; readonly uid: string }): Promise<Readonly<Record<string, Usage>>>;
  /** Asks a node of its network. Absent where there is none. */
  network?(nodeName: string, question: NetworkQuestion): Promise<NetworkAnswer>;
}
