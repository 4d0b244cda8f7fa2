import type { ChildProcess } from "node:child_process";
import { closeSync, fchownSync, mkdirSync, openSync } from "node:fs";
import { constants } from "node:os";
import { type CgroupTree, signalProcess } from "../cgroup/cgroup-tree.ts";
import type { ProcessInfo, ProcessSpec } from "./keeper.ts";
import { LaunchError, type LaunchPlan } from "./launch-plan.ts";
import type { Launcher } from "./launcher.ts";
import { LOG_STREAMS, LogRotation, logFile } from "./log-rotation.ts";
import { isAlive, readBootId, readStat } from "./proc.ts";
import type { ProcessRecord, Records } from "./records.ts";

const DEFAULT_LOG_BYTES = 10 * 1024 * 1024;
/** How soon the end of a process is seen that another keeper started. */
const ADOPTED_POLL_MS = 200;
const RESTART_FIRST_MS = 1000;
const RESTART_MOST_MS = 30_000;
/** After running this long it counts as started well. */
const RESTART_FORGIVEN_MS = 60_000;

export interface ProcessTableParts {
  readonly tree: CgroupTree;
  readonly launcher: Launcher;
  readonly records: Records;
  readonly report: (message: string) => void;
}

/** Every process this node keeps, from its start until it is forgotten. */
export class ProcessTable {
  readonly #parts: ProcessTableParts;
  readonly #records = new Map<string, ProcessRecord>();
  readonly #rotation: LogRotation;
  readonly #restarts = new Map<string, { timer?: NodeJS.Timeout; failures: number }>();
  /** Started by an earlier keeper: their end is seen by looking. */
  readonly #adopted = new Set<string>();
  readonly #unwritten = new Set<string>();
  readonly #bootId = readBootId();
  #listed: readonly ProcessInfo[] | undefined;
  #onChange: (info: ProcessInfo) => void = () => undefined;

  constructor(parts: ProcessTableParts) {
    this.#parts = parts;
    this.#rotation = new LogRotation(parts.report);
    for (const record of parts.records.load()) this.#adopt(record);
    setInterval(() => {
      this.#lookAfterAdopted();
      this.#writeAgain();
    }, ADOPTED_POLL_MS).unref();
  }

  /** One listener; what was found when the table was made is not told. */
  onChange(listener: (info: ProcessInfo) => void): void {
    this.#onChange = listener;
  }

  /** By id. The same array as long as nothing has changed. */
  list(): readonly ProcessInfo[] {
    this.#listed ??= [...this.#records.values()].map(({ info }) => info).sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.#listed;
  }

  find(id: string): ProcessInfo | undefined {
    return this.#records.get(id)?.info;
  }

  running(): readonly string[] {
    return this.list()
      .filter(({ state }) => state === "running")
      .map(({ id }) => id);
  }

  spawn(spec: ProcessSpec): ProcessInfo {
    const known = this.#records.get(spec.id);
    if (known) return known.info;
    const { id, cgroup, logDir } = spec;
    const record: ProcessRecord = {
      info: { id, pid: 0, state: "running", cgroup, logDir, startedAtMs: Date.now() },
      logBytes: spec.logBytes ?? DEFAULT_LOG_BYTES,
      startTicks: 0,
      bootId: this.#bootId,
      oomKillsBefore: 0,
      ...(spec.restart ? { spec } : {}),
    };
    this.#note(record);
    return this.#start(record, spec);
  }

  /**
   * Written before it starts, so that no process can run without a record; one that cannot be written is not started. But for a
   * full disk: what crashes then must run again all the same, and its record follows when there is room.
   */
  #note(record: ProcessRecord): void {
    const { id } = record.info;
    try {
      this.#parts.records.save(record);
    } catch (error) {
      if (!["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      this.#unwritten.add(id);
    }
    this.#set(record);
  }

  signal(id: string, signal: number): void {
    const record = this.#records.get(id);
    if (record?.info.state !== "running") return;
    const isLastWord = signal === constants.signals.SIGTERM || signal === constants.signals.SIGKILL;
    if (record.spec && isLastWord) this.#stopRestarting(record);
    const { pid } = record.info;
    if (pid > 0 && isAlive(pid, record.startTicks)) signalProcess(pid, signal);
  }

  forget(id: string): void {
    const record = this.#records.get(id);
    if (record?.info.state === "running") throw new Error(`process ${id} still runs (pid ${record.info.pid})`);
    this.#records.delete(id);
    this.#listed = undefined;
    this.#unwritten.delete(id);
    this.#parts.records.delete(id);
  }

  #start(record: ProcessRecord, spec: ProcessSpec): ProcessInfo {
    this.#rotation.add(spec.logDir, record.logBytes);
    const descriptors: number[] = [];
    try {
      const child = this.#parts.launcher.launch(spec, (plan) => {
        descriptors.push(...openLogs(spec.logDir, plan));
        return ["ignore", descriptors[0], descriptors[1]];
      });
      return this.#started(record, child);
    } catch (error) {
      const exitCode = error instanceof LaunchError ? error.exitCode : 203;
      return this.#ended(record, { exitCode, error: (error as Error).message });
    } finally {
      for (const descriptor of descriptors) closeSync(descriptor);
    }
  }

  #started(record: ProcessRecord, child: ChildProcess): ProcessInfo {
    const { id, cgroup } = record.info;
    const running: ProcessRecord = {
      ...record,
      info: { ...record.info, pid: child.pid ?? 0, startedAtMs: Date.now() },
      // A child that has ended is a zombie until the keeper's loop has run, so it can still be read.
      startTicks: child.pid === undefined ? 0 : (readStat(child.pid)?.startTicks ?? 0),
      oomKillsBefore: this.#parts.tree.oomKills(cgroup),
    };
    child.on("error", (error) => {
      if (child.pid === undefined) this.#ended(this.#current(id), { exitCode: 203, error: error.message });
    });
    child.on("exit", (code, signal) => {
      const current = this.#current(id);
      if (signal !== null) this.#ended(current, { signal: constants.signals[signal] });
      else this.#ended(current, { exitCode: code ?? 0 });
    });
    child.unref();
    this.#save(running);
    if (child.pid !== undefined) this.#onChange(running.info);
    return running.info;
  }

  #ended(
    record: ProcessRecord,
    end: Pick<ProcessInfo, "exitCode" | "signal" | "lost" | "error">,
    exitedAtMs = Date.now(),
  ): ProcessInfo {
    const { logDir } = record.info;
    if (record.spec && this.#scheduleRestart(record)) return this.#current(record.info.id).info;
    const info: ProcessInfo = {
      ...record.info,
      state: "exited",
      exitedAtMs,
      ...end,
      ...(this.#wasOutOfMemory(record, end) ? { outOfMemory: true } : {}),
    };
    this.#save({ ...record, info });
    this.#rotation.remove(logDir);
    this.#adopted.delete(info.id);
    this.#onChange(info);
    return info;
  }

  /** 137 is what a shell gives when its last command was killed. */
  #wasOutOfMemory({ info, oomKillsBefore }: ProcessRecord, end: Pick<ProcessInfo, "exitCode" | "signal">): boolean {
    const isKilled = end.signal === constants.signals.SIGKILL || end.exitCode === 137;
    return isKilled && this.#parts.tree.oomKills(info.cgroup) > oomKillsBefore;
  }

  #scheduleRestart(record: ProcessRecord): boolean {
    const { id, startedAtMs, restarts = 0, logDir } = record.info;
    const { spec } = record;
    if (!spec) return false;
    const before = this.#restarts.get(id)?.failures ?? 0;
    const failures = Date.now() - startedAtMs > RESTART_FORGIVEN_MS ? 1 : before + 1;
    const waitMs = Math.min(RESTART_MOST_MS, RESTART_FIRST_MS * 2 ** (failures - 1));
    const waiting: ProcessRecord = { ...record, info: { ...record.info, pid: 0, restarts: restarts + 1 } };
    this.#save(waiting);
    this.#rotation.remove(logDir);
    this.#adopted.delete(id);
    const timer = setTimeout(() => this.#start(this.#current(id), spec), waitMs);
    this.#restarts.set(id, { timer, failures });
    return true;
  }

  #stopRestarting(record: ProcessRecord): void {
    const { spec, ...rest } = record;
    const pending = this.#restarts.get(record.info.id)?.timer;
    clearTimeout(pending);
    this.#restarts.delete(record.info.id);
    this.#save(rest);
    if (record.info.pid === 0) this.#ended(rest, { signal: constants.signals.SIGTERM });
  }

  /** A record of an earlier keeper: it goes on, or it ended without anybody to see it. */
  #adopt(record: ProcessRecord): void {
    const { info, startTicks, bootId } = record;
    this.#set(record);
    if (info.state !== "running") return;
    if (bootId === this.#bootId && info.pid > 0 && isAlive(info.pid, startTicks)) {
      this.#adopted.add(info.id);
      this.#rotation.add(info.logDir, record.logBytes);
      return;
    }
    // After a reboot whoever asked for it will ask again.
    const { spec, ...ended } = record;
    this.#ended(bootId === this.#bootId ? record : ended, { lost: true });
  }

  #lookAfterAdopted(): void {
    for (const id of this.#adopted) {
      const record = this.#current(id);
      if (!isAlive(record.info.pid, record.startTicks)) this.#ended(record, { lost: true });
    }
  }

  #current(id: string): ProcessRecord {
    const record = this.#records.get(id);
    if (!record) throw new Error(`process ${id} has no record`);
    return record;
  }

  #set(record: ProcessRecord): void {
    this.#records.set(record.info.id, record);
    this.#listed = undefined;
  }

  #save(record: ProcessRecord): void {
    this.#set(record);
    this.#write(record);
  }

  /** A full disk must not end the parent of everything: it is written when there is room again. */
  #write(record: ProcessRecord): void {
    const { id } = record.info;
    try {
      this.#parts.records.save(record);
      this.#unwritten.delete(id);
    } catch (error) {
      if (!this.#unwritten.has(id)) this.#parts.report(`cannot write the record of ${id}: ${(error as Error).message}`);
      this.#unwritten.add(id);
    }
  }

  #writeAgain(): void {
    for (const id of this.#unwritten) this.#write(this.#current(id));
  }
}

/** The process owns its log files, so that it can open /dev/stdout again, as web servers do. */
function openLogs(logDir: string, { identity }: LaunchPlan): readonly number[] {
  // The directory stays root's: in one of its own the process could put links where root then writes.
  mkdirSync(logDir, { recursive: true, mode: 0o750 });
  return LOG_STREAMS.map((stream) => {
    const descriptor = openSync(logFile(logDir, stream), "a", 0o640);
    fchownSync(descriptor, identity.uid, identity.gid);
    return descriptor;
  });
}
