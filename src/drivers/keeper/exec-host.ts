import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { LaunchError } from "./launch-plan.ts";
import type { Launcher } from "./launcher.ts";
import { type ExecCall, type ExecInput, type ExecOutput, lineOf } from "./protocol.ts";

export interface ExecHostParts {
  readonly socket: Socket;
  readonly launcher: Launcher;
  readonly report: (message: string) => void;
}

/** One command whose input and output are a connection. It dies with the connection. */
export class ExecHost {
  readonly #socket: Socket;
  readonly #child: ChildProcess | undefined;
  readonly #hasTerminal: boolean;
  readonly #report: (error: Error) => void;

  constructor(parts: ExecHostParts, { spec, stdin, terminal }: ExecCall) {
    const { socket, launcher, report } = parts;
    this.#socket = socket;
    this.#report = ({ message }) => report(`exec: ${message}`);
    this.#hasTerminal = terminal !== undefined;
    try {
      // With a terminal, `script` ends when its input does: the pipe is always there.
      const input = stdin || terminal ? "pipe" : "ignore";
      const request = { ...spec, ...(terminal ? { terminal } : {}) };
      this.#child = launcher.launch(request, () => [input, "pipe", "pipe"]);
      this.#relay(this.#child);
    } catch (error) {
      this.#finish(error instanceof LaunchError ? shellCode(error) : 126, (error as Error).message);
    }
  }

  receive(message: ExecInput): void {
    const child = this.#child;
    if (!child) return;
    if ("data" in message) {
      const isFlowing = child.stdin?.write(Buffer.from(message.data, "base64")) ?? true;
      if (!isFlowing) {
        this.#socket.pause();
        child.stdin?.once("drain", () => this.#socket.resume());
      }
    } else if ("end" in message) child.stdin?.end();
    else if ("size" in message) this.#resize(message.size);
    else this.kill();
  }

  /** The whole session: the child leads it and its process group. */
  kill(): void {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null || this.#child.signalCode !== null) return;
    // On a terminal the command has a session of its own below `script`, which hands the hang-up on.
    for (const member of [...childrenOf(pid), pid]) killGroup(member);
  }

  #relay(child: ChildProcess): void {
    child.stdin?.on("error", () => this.#socket.resume());
    for (const stream of ["stdout", "stderr"] as const) {
      const source = child[stream];
      source?.on("data", (data: Buffer) => {
        if (this.#send({ stream, data: data.toString("base64") })) return;
        source.pause();
        this.#socket.once("drain", () => source.resume());
      });
    }
    child.on("error", (error) => this.#finish(126, error.message));
    child.on("close", (code, signal) => this.#finish(signal ? 128 + constants.signals[signal] : (code ?? 0)));
    // What it left running in the background may hold the pipes open: the command itself has ended.
    child.on("exit", () => setTimeout(() => this.#closePipes(child), 500).unref());
  }

  #closePipes(child: ChildProcess): void {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }

  #resize({ columns, rows }: { columns: number; rows: number }): void {
    const terminal = this.#hasTerminal && this.#child?.pid ? terminalBelow(this.#child.pid) : undefined;
    if (!terminal) return;
    const size = ["rows", String(Math.floor(rows)), "cols", String(Math.floor(columns))];
    // The kernel tells the terminal's foreground processes by SIGWINCH.
    spawn("/usr/bin/stty", ["-F", terminal, ...size], { stdio: "ignore", env: {} }).on("error", this.#report);
  }

  #finish(exitCode: number, error?: string): void {
    this.#send({ exitCode, ...(error === undefined ? {} : { error }) });
    this.#socket.end();
  }

  #send(message: ExecOutput): boolean {
    return this.#socket.destroyed || !this.#socket.writable ? true : this.#socket.write(lineOf(message));
  }
}

/** As shells say it: 127 not found, 126 not executable. */
function shellCode({ exitCode, message }: LaunchError): number {
  if (exitCode !== 203) return 126;
  return /not found|no such file/.test(message) ? 127 : 126;
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The pseudo-terminal of the command that `script` runs. */
function terminalBelow(pid: number): string | undefined {
  for (const child of childrenOf(pid)) {
    const target = readlinkSync(`/proc/${child}/fd/0`);
    if (target.startsWith("/dev/pts/")) return target;
  }
  return undefined;
}

function killGroup(leader: number): void {
  for (const target of [-leader, leader]) {
    try {
      process.kill(target, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
