/** Output, commands and usage of one container by its engine id: of ours, and of those that units started themselves. */
import { readFile } from "node:fs/promises";
import type { Duplex, Readable } from "node:stream";
import type { ExecRequest, ExecSession, LogChunk, LogOptions, TerminalSize, Usage } from "../../model/streams.ts";
import { DriverError } from "../driver.ts";
import type { Engine } from "./engine.ts";
import type { ContainerDetails } from "./engine-facts.ts";
import { firstLines, readFrames, readRaw, splitTimestamp } from "./frames.ts";
import { withReason } from "./refusal.ts";

/** Ends when the container has ended (`follow`) or `signal` aborts, else at the end of what is there. */
export async function* containerLogs(engine: Engine, id: string, options: LogOptions): AsyncGenerator<LogChunk> {
  let opened: { readonly stream: Readable; readonly isTerminal: boolean } | undefined;
  try {
    opened = await withReason("LogsError", () => openLogs(engine, id, options));
    if (opened.isTerminal) return yield* readRaw(opened.stream);
    const lines = options.follow ? undefined : options.tailLines;
    for await (const chunk of firstLines(readFrames(opened.stream), lines ?? Number.POSITIVE_INFINITY))
      yield splitTimestamp(chunk);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  } finally {
    opened?.stream.destroy();
  }
}

async function openLogs(engine: Engine, id: string, { follow, tailLines, sinceMs, signal }: LogOptions) {
  const { Config } = await inspectContainer(engine, id);
  const query = {
    ...{ stdout: true, stderr: true, follow: follow ?? false, timestamps: !Config.Tty },
    ...(tailLines === undefined ? {} : { tail: tailLines }),
    ...(sinceMs === undefined ? {} : { since: (sinceMs / 1000).toFixed(3) }),
  };
  const stream = await engine.stream({
    ...{ method: "GET", path: `/containers/${id}/logs`, query },
    ...(signal ? { signal } : {}),
  });
  return { stream, isTerminal: Config.Tty };
}

export interface DockerExecSession extends ExecSession {
  /** Rejects when the engine does not answer, or has not got as far as starting the command. */
  hasBegun(): Promise<true>;
}

/** Starts a command in the container. A command that cannot be executed gives Docker's words as output and its exit code (126, 127). */
export async function execInContainer(engine: Engine, id: string, request: ExecRequest): Promise<DockerExecSession> {
  return await withReason("ExecError", async () => {
    const body = {
      ...{ Cmd: request.command, Tty: request.tty, AttachStdin: request.stdin },
      ...{ AttachStdout: true, AttachStderr: true },
    };
    const { Id } = await engine.call<{ Id: string }>({ method: "POST", path: `/containers/${id}/exec`, body });
    const socket = await engine.hijack(`/exec/${Id}/start`, { Detach: false, Tty: request.tty });
    const session = new DockerExec(engine, Id, socket, request.tty);
    if (request.tty && request.size) session.resize(request.size);
    if (!request.stdin) session.endInput();
    return session;
  });
}

class DockerExec implements DockerExecSession {
  readonly output: AsyncIterable<LogChunk>;
  readonly exitCode: Promise<number>;
  readonly #engine: Engine;
  readonly #id: string;
  readonly #socket: Duplex;

  constructor(engine: Engine, id: string, socket: Duplex, tty: boolean) {
    this.#engine = engine;
    this.#id = id;
    this.#socket = socket;
    this.output = tty ? readRaw(socket) : readFrames(socket);
    this.exitCode = this.#waitForEnd();
    // Whoever does not ask for the exit code must not be brought down by it.
    this.exitCode.catch(() => undefined);
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#socket.write(data) || this.#socket.destroyed) return;
    const hasRoom = Promise.withResolvers<void>();
    // A command that ends reads nothing more.
    for (const event of ["drain", "close"]) this.#socket.once(event, hasRoom.resolve);
    await hasRoom.promise;
    for (const event of ["drain", "close"]) this.#socket.off(event, hasRoom.resolve);
  }

  endInput(): void {
    this.#socket.end();
  }

  /** A window size that cannot be set changes nothing that matters: the command goes on with the old one. */
  resize(size: TerminalSize): void {
    this.#resize(size).catch(() => undefined);
  }

  /** Until the command's process is there, which is a moment after its stream, engines up to API 1.41 refuse. */
  async #resize({ columns, rows }: TerminalSize): Promise<void> {
    const request = { method: "POST", path: `/exec/${this.#id}/resize`, query: { w: columns, h: rows } } as const;
    for (let tries = 0; ; tries++) {
      try {
        return await this.#engine.call(request);
      } catch (error) {
        // Nearly five seconds together: on a loaded machine a start takes as long.
        if (tries === 30) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10 * (tries + 1)));
      }
    }
  }

  async hasBegun(): Promise<true> {
    const { Pid } = await this.#inspect();
    if (Pid > 0) return true;
    throw new DriverError("the engine has not started the command yet", { temporary: true, reason: "ExecError" });
  }

  /** Docker has no call to end a command: its process is killed here when the engine is on this host, and is left alone when not. */
  kill(): void {
    this.#killProcess()
      .catch(() => undefined)
      .finally(() => this.#socket.destroy());
  }

  async #killProcess(): Promise<void> {
    if (this.#engine.address.socketPath === undefined) return;
    const { Pid, ContainerID, Running } = await this.#inspect();
    if (!Running || Pid <= 1) return;
    // The engine may live in another process namespace, where the number means someone else's process.
    const cgroups = await readFile(`/proc/${Pid}/cgroup`, "utf8");
    if (cgroups.includes(ContainerID)) process.kill(Pid, "SIGKILL");
  }

  async #waitForEnd(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#socket.once("close", resolve);
      this.#socket.once("end", resolve);
      this.#socket.on("error", () => resolve());
    });
    // The stream may end a moment before the engine has the exit code.
    for (let tries = 0; tries < 100; tries++) {
      const { Running, ExitCode } = await this.#inspect();
      if (!Running && ExitCode !== null) return ExitCode;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new DriverError("the connection to the command was lost while it ran on", {
      temporary: true,
      reason: "ExecError",
    });
  }

  #inspect(): Promise<{ Running: boolean; ExitCode: number | null; Pid: number; ContainerID: string }> {
    return withReason("ExecError", () => this.#engine.call({ method: "GET", path: `/exec/${this.#id}/json` }));
  }
}

interface Stats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}

/** Counters of a running container: nanoseconds of CPU since its start, and its memory without the file cache the kernel may drop. */
export async function containerCounters(
  engine: Engine,
  id: string,
): Promise<{ readonly cpuNanos: number; readonly memoryBytes: number } | undefined> {
  const query = { stream: false, "one-shot": true };
  const stats = await withReason("StatsError", () =>
    engine.call<Stats>({ method: "GET", path: `/containers/${id}/stats`, query }),
  );
  const cpuNanos = stats.cpu_stats?.cpu_usage?.total_usage;
  const used = stats.memory_stats?.usage;
  if (cpuNanos === undefined || used === undefined) return undefined;
  const cache = stats.memory_stats?.stats?.total_inactive_file ?? stats.memory_stats?.stats?.inactive_file ?? 0;
  return { cpuNanos, memoryBytes: Math.max(0, used - cache) };
}

/** Turns counters into averages between two readings. One per driver; `forget` what has ended. */
export class UsageMeter {
  readonly #last = new Map<string, { readonly cpuNanos: number; readonly atMs: number; readonly cpuMillis: number }>();

  /** `sinceMs`: when the container started, for its first reading; same clock as `nowMs`. */
  read(
    id: string,
    counters: { readonly cpuNanos: number; readonly memoryBytes: number },
    nowMs: number,
    sinceMs: number,
  ): Usage {
    const last = this.#last.get(id) ?? { cpuNanos: 0, atMs: sinceMs, cpuMillis: 0 };
    const elapsedMs = nowMs - last.atMs;
    // Two readings in one moment would divide by nothing.
    const cpuMillis =
      elapsedMs < 1 ? last.cpuMillis : Math.round((counters.cpuNanos - last.cpuNanos) / 1000 / elapsedMs);
    this.#last.set(id, { cpuNanos: counters.cpuNanos, atMs: nowMs, cpuMillis });
    return { cpuMillis: Math.max(0, cpuMillis), memoryBytes: counters.memoryBytes };
  }

  forget(id: string): void {
    this.#last.delete(id);
  }
}

export function inspectContainer(engine: Engine, id: string): Promise<ContainerDetails> {
  return engine.call<ContainerDetails>({ method: "GET", path: `/containers/${encodeURIComponent(id)}/json` });
}
