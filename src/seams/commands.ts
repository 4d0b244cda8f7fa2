/** Programs of the host (ip, nft, wg, …), run to their end, behind a seam so that tests can answer for them. Never a shell. */
import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly input?: string;
  /** Default 10 s; then it is killed, and the promise rejects. */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Commands {
  /** Rejects with CommandError when it cannot be started or does not end in time; an exit code that is not 0 is a result. */
  run(program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

export class CommandError extends Error {
  override readonly name = "CommandError";
  /** There is no such program on this host. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing = false) {
    super(message);
    this.isMissing = isMissing;
  }
}

/** It was begun and was ended by force: what it would have said is not known. */
export class CommandUnfinished extends CommandError {}

const USUAL_TIMEOUT_MS = 10_000;
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

export class SystemCommands implements Commands {
  run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const { timeoutMs = USUAL_TIMEOUT_MS } = options;
    const fail = (error: CommandError) => {
      child.kill("SIGKILL");
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new CommandUnfinished(`${program} did not end within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const gather = (stream: NodeJS.ReadableStream): (() => string) => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MOST_OUTPUT_BYTES) fail(new CommandUnfinished(`${program} says too much`));
        else chunks.push(chunk);
      });
      return () => Buffer.concat(chunks).toString("utf8");
    };
    const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
    child.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const isMissing = error.code === "ENOENT";
      reject(new CommandError(isMissing ? `there is no ${program} on this host` : error.message, isMissing));
    });
    child.once("close", (exitCode, signal) => {
      clearTimeout(timer);
      if (signal !== null) reject(new CommandUnfinished(`${program} was ended by ${signal}`));
      else resolve({ exitCode: exitCode ?? 0, stdout: stdout(), stderr: stderr() });
    });
    // One that ends without reading it all says why itself.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    return promise;
  }
}
