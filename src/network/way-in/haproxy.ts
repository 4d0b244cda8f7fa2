/**
 * The HAProxy of this host: a master with its workers, in a session of its own, so that it outlives the agent that started it and is
 * found again by its socket. A change of configuration is a reload: the new worker takes over the listening sockets, and the old one ends
 * when its connections have. A master that stands still cannot reload: another one takes over from its worker, in the same way.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import type { Clock } from "../../seams/clock.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { FILES } from "./files.ts";
import { MasterSocket, type Processes, WorkerSocket } from "./master-socket.ts";
import { finishedStrays, processesWith, processOf, signal } from "./own-processes.ts";

export interface HaProxyOptions {
  readonly folder: string;
  readonly commands: Commands;
  readonly clock: Clock;
  /** Words before its command, for a network namespace. */
  readonly enter?: readonly string[];
}

const START_MS = 10_000;
const LOOK_AGAIN_MS = 25;
/** A master answers within milliseconds; what waits for it meanwhile goes to its worker itself. */
const MASTER_MS = 2_000;
/** On a busy machine an answer takes its time. */
const MOST_MISSES = 3;
export const HOW_TO_INSTALL = "there is no haproxy on this host; next: apt-get install haproxy";

export class HaProxy {
  readonly #options: HaProxyOptions;
  readonly #master: MasterSocket;
  readonly #worker: WorkerSocket;
  /** It was told to reload and has not: it may yet, whenever it goes on. */
  #owesReload = false;
  /** Of masters that stood still some may be left, also from an agent before this one. */
  #mayHaveStrays = true;

  constructor(options: HaProxyOptions) {
    this.#options = options;
    this.#master = new MasterSocket(this.#file("master"));
    this.#worker = new WorkerSocket(this.#file("socket"));
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
    const { worker } = (await this.processes()) ?? {};
    return (worker ?? (await this.#worker.pid(MASTER_MS))) !== undefined;
  }

  /** Without asking it: whether its master is there, which ends when its worker does. */
  async hasMaster(): Promise<boolean> {
    return (await this.#pid()) !== undefined;
  }

  /** As its master says; undefined when that does not answer. */
  processes(): Promise<Processes | undefined> {
    return this.#master.processes(MASTER_MS).catch(() => undefined);
  }

  /** Whether the worker answers: one that stands still takes connections all the same. */
  async answers(timeoutMs: number): Promise<boolean> {
    return (await this.#worker.pid(timeoutMs)) !== undefined;
  }

  /** Its worker serves on, but cannot be exchanged. */
  async isMasterStill(): Promise<boolean> {
    return (await this.#masterSays()) === undefined;
  }

  /**
   * Answers of the worker that serves now, one after the other. The master is asked first whether it answers: what it takes while it stands
   * still it would do when it goes on, long after it has become untrue.
   */
  async tell(commands: readonly string[]): Promise<string> {
    const isMasterWell = (await this.processes()) !== undefined;
    return (isMasterWell ? this.#master : this.#worker).askWorker(commands);
  }

  /** For a worker that stands still, which ends for no other signal; its master goes with it. */
  async kill(): Promise<void> {
    const { worker } = (await this.processes()) ?? {};
    if (worker === undefined) return this.#endAll();
    const master = await this.#pid();
    signal(worker, "SIGKILL");
    if (master === undefined || !(await this.#areGone([master], 5_000))) await this.#endAll();
  }

  async start(): Promise<void> {
    await this.#endAll();
    await this.#spawn([], undefined);
  }

  /** Resolves when the new worker serves. */
  async reload(): Promise<void> {
    const before = await this.#masterSays();
    if (before === undefined) return this.#takeOver();
    const from = await this.#logSize();
    this.#owesReload = true;
    // The master begins anew at once, and may not answer any more.
    await this.#master.ask("reload").catch(() => undefined);
    await this.#until(
      async () => {
        const now = await this.processes();
        if (now && now.failedReloads > before.failedReloads) {
          this.#owesReload = false;
          throw new Error(`HAProxy did not take the new configuration: ${await this.#said(from, "it says nothing")}`);
        }
        return now?.worker !== undefined && now.worker !== before.worker;
      },
      async () => `HAProxy has not reloaded within ${START_MS / 1000} s: ${await this.#said(from, "it says nothing")}`,
    );
    this.#owesReload = false;
  }

  /** `mostMs`: connections may end by themselves until then. */
  async stop(mostMs: number): Promise<void> {
    // Where there never was one, not all processes of the host are looked through for it.
    if (!existsSync(this.#file("config"))) return;
    const all = await processesWith(this.#file("config"));
    const pids = all.map(({ pid }) => pid);
    const masters = all.filter(({ parent }) => !pids.includes(parent));
    // SIGUSR1: no new connections, and it goes when the last has ended.
    for (const { pid } of masters) signal(pid, "SIGUSR1");
    if (await this.#areGone(pids, mostMs)) return;
    await this.#endAll();
  }

  /** Masters that stood still when another one took over, once their connections have ended. */
  async sweep(): Promise<void> {
    const master = await this.#pid();
    if (!this.#mayHaveStrays || master === undefined) return;
    const all = await processesWith(this.#file("config"));
    const finished = finishedStrays(all, master);
    for (const pid of finished) signal(pid, "SIGKILL");
    const own = new Set(all.map(({ pid }) => pid));
    this.#mayHaveStrays = all.some(({ pid, parent }) => pid !== master && !own.has(parent));
  }

  /** The worker of a master that stands still hands its sockets to another one's, and ends when its connections have. */
  async #takeOver(): Promise<void> {
    const worker = await this.#worker.pid(MASTER_MS);
    // Two would have the ports, if it reloaded after all.
    if (worker === undefined || this.#owesReload) return this.start();
    this.#mayHaveStrays = true;
    await this.#spawn(["-x", this.#file("socket"), "-sf", `${worker}`], worker);
  }

  async #masterSays(): Promise<Processes | undefined> {
    for (let misses = 0; misses < MOST_MISSES; misses++) {
      const found = await this.processes();
      if (found) return found;
    }
    return undefined;
  }

  async #spawn(more: readonly string[], before: number | undefined): Promise<void> {
    const [program = "haproxy", ...args] = [...(this.#options.enter ?? []), "haproxy", ...this.#arguments(), ...more];
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
        const { worker } = (await this.processes()) ?? {};
        return worker !== undefined && worker !== before;
      },
      async () => `HAProxy has not started within ${START_MS / 1000} s: ${await this.#said(from, "it says nothing")}`,
    );
    this.#owesReload = false;
  }

  /** Whatever runs with our configuration, known to a pid file or not: a second one would have its ports, or half of its requests. */
  async #endAll(): Promise<void> {
    const pids = (await processesWith(this.#file("config"))).map(({ pid }) => pid);
    for (const pid of pids) signal(pid, "SIGTERM");
    if (!(await this.#areGone(pids, 2_000))) {
      for (const pid of pids) signal(pid, "SIGKILL");
      if (!(await this.#areGone(pids, 2_000))) throw new Error(`HAProxy does not end: processes ${pids.join(", ")}`);
    }
    await rm(this.#file("pid"), { force: true });
  }

  /** Of our master, and not of whoever has its number now. */
  async #pid(): Promise<number | undefined> {
    const text = await readFile(this.#file("pid"), "utf8").catch(() => "");
    const pid = Number(text.trim());
    if (!Number.isInteger(pid) || pid < 2) return undefined;
    return (await processOf(pid, this.#file("config")))?.pid;
  }

  async #areGone(pids: readonly number[], mostMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const from = clock.monotonic();
    for (const pid of pids)
      while (await processOf(pid, this.#file("config"))) {
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
