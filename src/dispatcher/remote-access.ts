/** The way to the pods of nodes elsewhere: each log, command, connection and reading is a stream on its agent's link. */
import type { Mux } from "../agent/frames/streams/mux.ts";
import type { MuxStream } from "../agent/frames/streams/mux-stream.ts";
import type { StreamRequest } from "../agent/frames/streams/requests.ts";
import { ApiError } from "../model/errors.ts";
import type { NetworkAnswer, NetworkQuestion } from "../model/network-questions.ts";
import type {
  ByteStream,
  ExecRequest,
  ExecSession,
  LogChunk,
  LogOptions,
  NodeAccess,
  TerminalSize,
  Usage,
} from "../model/streams.ts";

type Pod = { readonly nodeName: string; readonly uid: string; readonly container?: string };

export class RemoteAccess implements NodeAccess {
  /** Of the node's present link; throws ApiError when there is none. */
  readonly #muxOf: (nodeName: string) => Mux;

  constructor(muxOf: (nodeName: string) => Mux) {
    this.#muxOf = muxOf;
  }

  async *logs(pod: Pod, { signal, ...options }: LogOptions): AsyncGenerator<LogChunk, void, undefined> {
    if (signal?.aborted) return;
    const stream = this.#open(pod, { kind: "logs", pod: subjectOf(pod), options });
    const cancel = () => stream.reset(GONE());
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      for await (const { channel, data, timeMs } of stream.pieces()) {
        yield { stream: channel === "stderr" ? "stderr" : "stdout", data, ...(timeMs === undefined ? {} : { timeMs }) };
      }
      stream.end();
    } catch (error) {
      if (!signal?.aborted) throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
      cancel();
    }
  }

  async exec(pod: Pod, request: ExecRequest): Promise<ExecSession> {
    const stream = this.#open(pod, { kind: "exec", pod: subjectOf(pod), request });
    await stream.begun;
    return new RemoteExec(stream);
  }

  async forward(pod: Pod, port: number): Promise<ByteStream> {
    const stream = this.#open(pod, { kind: "forward", pod: subjectOf(pod), port });
    await stream.begun;
    return new RemoteBytes(stream);
  }

  async usage(pod: Pod): Promise<Readonly<Record<string, Usage>>> {
    const stream = this.#open(pod, { kind: "usage", pod: subjectOf(pod) });
    stream.end();
    return (await stream.result) as Readonly<Record<string, Usage>>;
  }

  async network(nodeName: string, question: NetworkQuestion): Promise<NetworkAnswer> {
    const stream = this.#open({ nodeName }, { kind: "network", question });
    stream.end();
    return (await stream.result) as NetworkAnswer;
  }

  #open({ nodeName }: Pick<Pod, "nodeName">, request: StreamRequest): MuxStream {
    return this.#muxOf(nodeName).open(request);
  }
}

class RemoteExec implements ExecSession {
  readonly output: AsyncIterable<LogChunk>;
  readonly exitCode: Promise<number>;
  readonly #stream: MuxStream;
  #isKilled = false;

  constructor(stream: MuxStream) {
    this.#stream = stream;
    this.output = this.#read();
    this.exitCode = stream.result.then((result) => exitCodeOf(result));
    // Whoever does not ask for the exit code must not be brought down by it.
    this.exitCode.catch(() => undefined);
  }

  write(data: Uint8Array): Promise<void> {
    // Of a command that has ended: what it did not read is of no interest.
    return this.#stream.write({ channel: "stdin", data }).catch(() => undefined);
  }

  endInput(): void {
    this.#stream.end();
  }

  resize(size: TerminalSize): void {
    this.#stream.control(size);
  }

  kill(): void {
    this.#isKilled = true;
    this.#stream.reset(GONE());
  }

  async *#read(): AsyncGenerator<LogChunk, void, undefined> {
    let isRead = false;
    try {
      for await (const { channel, data } of this.#stream.pieces())
        yield { stream: channel === "stderr" ? "stderr" : "stdout", data };
      isRead = true;
    } catch (error) {
      if (!this.#isKilled) throw error;
    } finally {
      // Of a command that is over nothing more is asked; one whose output nobody wants any more is not left to wait.
      if (isRead) this.#stream.end();
      else this.kill();
    }
  }
}

class RemoteBytes implements ByteStream {
  readonly readable: AsyncIterable<Uint8Array>;
  readonly #stream: MuxStream;

  constructor(stream: MuxStream) {
    this.#stream = stream;
    this.readable = bytesOf(stream);
  }

  write(data: Uint8Array): Promise<void> {
    return this.#stream.write({ channel: "stdout", data });
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.reset(GONE());
  }
}

async function* bytesOf(stream: MuxStream): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { data } of stream.pieces()) yield data;
}

function subjectOf({ uid, container }: Pod) {
  return { uid, ...(container === undefined ? {} : { container }) };
}

/** It comes from an agent. */
function exitCodeOf(result: unknown): number {
  const { exitCode } = (result ?? {}) as { exitCode?: unknown };
  if (typeof exitCode === "number" && Number.isInteger(exitCode)) return exitCode;
  throw new ApiError("ServerError", "the node did not say how the command ended");
}

const GONE = () => new ApiError("Unavailable", "whoever asked for it has gone");
