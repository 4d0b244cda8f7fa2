/** A node whose pods do as they are asked: logs of any length, commands that talk back, connections that echo. */
import { EchoStream } from "../../../src/drivers/fake/echo-stream.ts";
import { ApiError } from "../../../src/model/errors.ts";
import type { NetworkAnswer, NetworkQuestion } from "../../../src/model/network-questions.ts";
import type {
  ByteStream,
  ExecRequest,
  ExecSession,
  LogChunk,
  LogOptions,
  NodeAccess,
  TerminalSize,
  Usage,
} from "../../../src/model/streams.ts";

export const POD = { nodeName: "n1", uid: "pod-1", container: "main" };

/** `echo`: gives its input back. `flood N`: says N bytes. `exit N`. `wait`: until it is killed. */
class TestExec implements ExecSession {
  readonly output: AsyncIterable<LogChunk>;
  readonly exitCode: Promise<number>;
  readonly sizes: TerminalSize[] = [];
  read = 0;
  isKilled = false;
  /** The command reads its input no more. */
  isDeaf = false;
  readonly #command: readonly string[];
  readonly #input = new EchoStream();
  readonly #over = Promise.withResolvers<number>();

  constructor(command: readonly string[]) {
    this.#command = command;
    this.exitCode = this.#over.promise;
    this.output = this.#run();
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.isDeaf) return new Promise(() => {});
    this.read += data.length;
    await this.#input.write(data);
  }

  endInput(): void {
    this.#input.end();
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  kill(): void {
    this.isKilled = true;
    this.#input.end();
    this.#over.resolve(137);
  }

  async *#run(): AsyncGenerator<LogChunk> {
    const [word, value] = this.#command;
    if (word === "flood") yield* flood(Number(value));
    else if (word === "echo") for await (const data of this.#input.readable) yield { stream: "stdout", data };
    else if (word === "wait") await this.#over.promise;
    else yield { stream: "stderr", data: Buffer.from("done\n") };
    this.#over.resolve(word === "exit" ? Number(value) : 0);
  }
}

function* flood(bytes: number): Generator<LogChunk> {
  const block = Buffer.alloc(50_000, "x");
  for (let left = bytes; left > 0; left -= block.length) {
    yield { stream: "stdout", data: left < block.length ? block.subarray(0, left) : block };
  }
}

export class TestAccess implements NodeAccess {
  readonly sessions: TestExec[] = [];
  /** Logs that are being followed. */
  following = 0;
  /** Pieces of logs that were asked for. */
  read = 0;
  connections = 0;

  async *logs({ uid }: { readonly uid: string }, options: LogOptions): AsyncGenerator<LogChunk> {
    if (uid !== POD.uid) throw new ApiError("NotFound", `no pod with uid ${uid} is on this node`);
    const lines = options.tailLines ?? 10;
    for (let n = 0; n < lines; n++) {
      this.read++;
      yield { stream: n % 2 === 0 ? "stdout" : "stderr", data: Buffer.from(`line ${n}\n`), timeMs: 1_000 + n };
    }
    if (options.follow !== true || options.signal?.aborted) return;
    this.following++;
    await new Promise<void>((resolve) => options.signal?.addEventListener("abort", () => resolve(), { once: true }));
    this.following--;
  }

  async exec(_pod: { readonly uid: string }, { command }: ExecRequest): Promise<ExecSession> {
    if (command[0] === "nothing") throw new ApiError("BadRequest", "container main in pod web is not running");
    const session = new TestExec(command);
    this.sessions.push(session);
    return session;
  }

  async forward(_pod: { readonly uid: string }, port: number): Promise<ByteStream> {
    if (port === 1) throw new ApiError("Unavailable", "nothing listens on port 1");
    this.connections++;
    const echo = new EchoStream();
    const destroy = () => {
      this.connections--;
      echo.destroy();
    };
    return { readable: echo.readable, write: (data) => echo.write(data), end: () => echo.end(), destroy };
  }

  async usage(): Promise<Readonly<Record<string, Usage>>> {
    return { main: { cpuMillis: 12, memoryBytes: 34 } };
  }

  /** Says what it was asked. */
  async network(nodeName: string, question: NetworkQuestion): Promise<NetworkAnswer> {
    return { hops: [{ at: nodeName, what: question.ask, words: JSON.stringify(question) }] };
  }
}
