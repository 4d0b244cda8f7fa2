/**
 * The HAProxy of this host: a master with its workers, in a session of its own, so that it outlives the agent that started it and is
 * found again by its socket. A change of configuration is a reload: the new worker takes over the listening sockets, and the old one ends
 * when its connections have.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import type { Clock } from "../../seams/clock.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { FILES } from "./files.ts";
import { MasterSocket } from "./master-socket.ts";

export interface HaProxyOptions {
  readonly folder: string;
  readonly commands: Commands;
  readonly clock: Clock;
  /** Words before its command, for a network namespace. */
  readonly enter?: readonly string[];
}

const START_MS = 10_000;
const LOOK_AGAIN_MS = 25;
export const HOW_TO_INSTALL = "there is no haproxy on this host; next: apt-get install haproxy";

export class HaProxy {
  readonly socket: MasterSocket;
  readonly #options: HaProxyOptions;

  constructor(options: HaProxyOptions) {
    this.#options = options;
    this.socket = new MasterSocket(this.#file("master"));
  }

  /** What is wrong with a configuration, as HAProxy says it; undefined when nothing is. */
  async problemOf(config: string): Promise<string | undefined> {
    try {
      const options = { timeoutMs: 60_000 };
      const { exitCode, stderr, stdout } = await this.#options.commands.run("haproxy", ["-c", "-f", config], options);
      return exitCode === 0 ? undefined : stderr || stdout || `exit code ${exitCode}`;
    } catch (error) {
      if (error instanceof CommandError && error.isMissing) throw new Error(HOW_TO_INSTALL, { cause: error });
      throw error;
    }
  }

  async isRunning(): Promise<boolean> {
    return (await this.socket.worker()) !== undefined;
  }

  /** Whether the worker answers: one that stands still takes connections all the same. */
  async answers(timeoutMs: number): Promise<boolean> {
    return (await this.socket.ask("@1 show info", timeoutMs).catch(() => "")) !== "";
  }

  /** For a worker that stands still, which ends for no other signal; its master goes with it. */
  async kill(): Promise<void> {
    const worker = await this.socket.worker();
    if (worker !== undefined) signal(worker, "SIGKILL");
    const pid = await this.#pid();
    if (pid !== undefined && !(await this.#isGone(pid, 5_000))) await this.stop(0);
  }

  async start(): Promise<void> {
    await rm(this.#file("pid"), { force: true });
    const [program = "haproxy", ...args] = [...(this.#options.enter ?? []), "haproxy", ...this.#arguments()];
    const from = await this.#logSize();
    const log = openSync(this.#file("log"), "a", 0o640);
    const child = spawn(program, args, { detached: true, cwd: "/", stdio: ["ignore", log, log] });
    closeSync(log);
    let ended: string | undefined;
    child.once("error", (error) => {
      ended = error.message;
    });
    child.once("exit", (code) => {
      ended ??= `it ended with ${code}`;
    });
    child.unref();
    await this.#until(
      async () => {
        if (ended !== undefined) throw new Error(`HAProxy does not start: ${await this.#said(from, ended)}`);
        return this.isRunning();
      },
      async () => `HAProxy has not started within ${START_MS / 1000} s: ${await this.#said(from, "it says nothing")}`,
    );
  }

  /** Resolves when the new worker serves. */
  async reload(): Promise<void> {
    const before = await this.socket.processes();
    const from = await this.#logSize();
    // The master begins anew at once, and may not answer any more.
    await this.socket.ask("reload").catch(() => undefined);
    await this.#until(
      async () => {
        const now = await this.socket.processes().catch(() => undefined);
        if (now && now.failedReloads > before.failedReloads)
          throw new Error(`HAProxy did not take the new configuration: ${await this.#said(from, "it says nothing")}`);
        return now?.worker !== undefined && now.worker !== before.worker;
      },
      async () => `HAProxy has not reloaded within ${START_MS / 1000} s: ${await this.#said(from, "it says nothing")}`,
    );
  }

  /** `mostMs`: connections may end by themselves until then. */
  async stop(mostMs: number): Promise<void> {
    const pid = await this.#pid();
    if (pid === undefined) return;
    // SIGUSR1: no new connections, and it goes when the last has ended.
    signal(pid, "SIGUSR1");
    if (await this.#isGone(pid, mostMs)) return;
    signal(pid, "SIGTERM");
    if (await this.#isGone(pid, 2_000)) return;
    signal(pid, "SIGKILL");
  }

  /** Of our master, and not of whoever has its number now. */
  async #pid(): Promise<number | undefined> {
    const text = await readFile(this.#file("pid"), "utf8").catch(() => "");
    const pid = Number(text.trim());
    if (!Number.isInteger(pid) || pid < 2) return undefined;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return line.split("\0").includes(this.#file("config")) ? pid : undefined;
  }

  async #isGone(pid: number, mostMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const from = clock.monotonic();
    while ((await this.#pid()) === pid) {
      if (clock.monotonic() - from >= mostMs) return false;
      await clock.sleep(LOOK_AGAIN_MS);
    }
    return true;
  }

  #arguments(): readonly string[] {
    const master = `${this.#file("master")},mode,600`;
    return ["-W", "-S", master, "-f", this.#file("config"), "-p", this.#file("pid")];
  }

  async #until(isSo: () => Promise<boolean>, words: () => Promise<string>): Promise<void> {
    const { clock } = this.#options;
    const from = clock.monotonic();
    while (!(await isSo())) {
      if (clock.monotonic() - from > START_MS) throw new Error(await words());
      await clock.sleep(LOOK_AGAIN_MS);
    }
  }

  async #logSize(): Promise<number> {
    return (await stat(this.#file("log")).catch(() => ({ size: 0 }))).size;
  }

  /** What it wrote since: the lines that say why. */
  async #said(from: number, otherwise: string): Promise<string> {
    const all = await readFile(this.#file("log"), "utf8").catch(() => "");
    const lines = all.slice(Math.min(from, all.length)).split("\n");
    const bad = lines
      .filter((line) => line.startsWith("[ALERT]"))
      .map((line) => line.replace(/^\[ALERT\]\s*\(\d+\) : /, ""));
    return bad.slice(0, 3).join("; ") || otherwise;
  }

  #file(name: keyof typeof FILES): string {
    return `${this.#options.folder}/${FILES[name]}`;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
