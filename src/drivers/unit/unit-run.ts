/** One run of one unit: takes its events one after another, writes down every move before acting on it, and resumes from there. */
import type { ChildContainer } from "../../model/pod.ts";
import { readService } from "../../model/unit/read-service.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { CgroupLimits } from "../cgroup/limit-files.ts";
import { type ContainerRun, DriverError, type ObservedRun } from "../driver.ts";
import type { Keeper, ProcessInfo } from "../keeper/keeper.ts";
import { lookUpUser, type User } from "../keeper/users.ts";
import { unmetCondition } from "./conditions.ts";
import { EnvironmentFileError, readEnvironmentFiles } from "./environment-files.ts";
import { processSpec } from "./exec-spec.ts";
import type { Host } from "./host.ts";
import { lastWords, stderrSize } from "./last-words.ts";
import { findMainPid } from "./main-pid.ts";
import { observeUnit } from "./observe-unit.ts";
import { processEnvironment } from "./process-environment.ts";
import type { RunFiles, StateRecord } from "./run-files.ts";
import type { ServiceAction, ServiceEvent, ServiceView } from "./service-events.ts";
import { isAtRest, needsLooking, type ProcessEnd, type ServiceState, UNSTARTED } from "./service-state.ts";
import { step } from "./service-step.ts";
import { unitCgroupLimits } from "./unit-limits.ts";

export interface UnitRunParts {
  readonly keeper: Keeper;
  readonly cgroups: { ensure(name: string, limits?: CgroupLimits): void };
  readonly files: RunFiles;
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dockerHost: string | undefined;
  /** Flags for the unit's own `docker run`. */
  readonly dockerFlags: (unit: UnitRun) => readonly string[];
  readonly onChange: (unit: UnitRun, before: ServiceState) => void;
  /** Ends all work; what runs goes on. */
  readonly signal: AbortSignal;
}

const RETRY_MS = 500;
const LOOK_FIRST_MS = 20;
const LOOK_ENDING_MS = 250;
const LOOK_RUNNING_MS = 500;

export class UnitRun {
  readonly service: ServiceSettings;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** What its start job waits for, in words. */
  waitsFor: string | undefined;
  children: readonly ChildContainer[] = [];
  readonly #parts: UnitRunParts;
  readonly #log: Log;
  #run: ContainerRun;
  #state: ServiceState;
  #pending: readonly ServiceAction[];
  #marks: Record<string, number>;
  #queue: Promise<void> = Promise.resolve();
  #deadline: Timer | undefined;
  #look: Timer | undefined;
  #lookMs = LOOK_FIRST_MS;
  #limitedInvocation = -1;
  readonly #waiters = new Set<() => void>();

  constructor(parts: UnitRunParts, run: ContainerRun, record?: StateRecord) {
    const settings = run.spec.unit;
    if (!settings)
      throw new DriverError(`container ${run.spec.name} has no unit to execute`, {
        temporary: false,
        reason: "CreateContainerError",
      });
    this.#parts = parts;
    this.#run = run;
    this.#state = record?.state ?? UNSTARTED;
    this.#pending = record?.pending ?? [];
    this.#marks = { ...record?.marks };
    const { service, diagnostics } = readService(settings.options, settings.name, { facts: parts.host });
    this.service = service;
    this.errors = diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
    this.warnings = diagnostics.filter(({ severity }) => severity === "warning").map(({ message }) => message);
    this.#log = parts.log.with({ unit: service.name, pod: run.ref.podUid });
  }

  get run(): ContainerRun {
    return this.#run;
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** Where the unit's limits are set. Below it: `unit` with its own processes, `docker` with its containers, `exec`. */
  get cgroup(): string {
    return `${this.#run.ref.podUid}/${this.#run.ref.container}`;
  }

  get processCgroup(): string {
    return `${this.cgroup}/unit`;
  }

  get logDir(): string {
    return this.#parts.files.logDir(this.#run.ref);
  }

  observed(): ObservedRun {
    const { service, state, errors, warnings, waitsFor, children } = this;
    return observeUnit({ run: this.#run, service, state, errors, warnings, waitsFor, children });
  }

  /** The same run with another wish: fleet's loaded and launched. */
  async wish(start: boolean): Promise<void> {
    const { unit } = this.#run.spec;
    if (!unit) return;
    this.#run = { ...this.#run, spec: { ...this.#run.spec, unit: { ...unit, start } } };
    await this.save();
  }

  async save(): Promise<void> {
    await this.#parts.files.saveRun(this.#run.ref, { run: this.#run, bootId: this.#parts.host.bootId });
  }

  /** A start job. Resolves once the first process has been started, or the start has been refused. */
  async start(isAutomatic = false): Promise<void> {
    const refusal = await unmetCondition(this.service, this.#parts.host);
    const invocationId = this.#parts.random.uuid().replaceAll("-", "");
    await this.send({ type: "start", invocationId, isAutomatic, ...(refusal === undefined ? {} : { refusal }) });
  }

  /** Events are taken in order; resolves when this one has been acted on. */
  send(event: ServiceEvent): Promise<void> {
    return this.#inTurn(() => this.#handle(event), event);
  }

  #inTurn(work: () => Promise<void>, event?: ServiceEvent): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch((error: unknown) => {
      if (!this.#parts.signal.aborted) this.#log.error("an event of the unit was not handled", { event, error });
    });
    return done;
  }

  /** Goes on where another driver left off. `processes`: what the keeper has of this run. */
  async resume(processes: readonly ProcessInfo[]): Promise<void> {
    // In the queue like every move: an end that is heard meanwhile waits, else its process is forgotten and then started once more.
    await this.#inTurn(async () => this.#handleAll([...(await this.#performAll(this.#pending))]));
    await this.reconcile(processes);
    await this.send({ type: "look" });
    if (this.#state.isStartAsked && isAtRest(this.#state)) await this.start(true);
  }

  /** Changes may have been missed. */
  async reconcile(processes: readonly ProcessInfo[]): Promise<void> {
    for (const command of [this.#state.main?.command, this.#state.control]) {
      if (command?.pid === undefined) continue;
      const wanted = this.#processId(command.id);
      // The list may be from before it was started: only one made now can say that it is gone.
      const info = processes.find(({ id }) => id === wanted) ?? (await this.#parts.keeper.get(wanted));
      if (!info) await this.send({ type: "exited", id: command.id, end: { isLost: true } });
      else if (info.state === "exited") await this.processEnded(info);
    }
    await this.#forgetEnded(processes);
  }

  /** What could not be forgotten when it ended would stay in the keeper's memory for ever. */
  async #forgetEnded(processes: readonly ProcessInfo[]): Promise<void> {
    const current = [this.#state.main?.command, this.#state.control].map((command) =>
      this.#processId(command?.id ?? ""),
    );
    const ended = processes.filter(({ id, state }) => state === "exited" && !current.includes(id));
    // The state that does without them is on the disk then.
    if (ended.length > 0) await this.#queue;
    for (const { id } of ended) await this.#parts.keeper.forget(id);
  }

  /** A process of this run has ended, as the keeper tells. */
  async processEnded(info: ProcessInfo): Promise<void> {
    const id = info.id.slice(this.#processId("").length);
    const words = await this.#wordsOf(id, info);
    await this.send({ type: "exited", id, end: endOf(info), ...(words === undefined ? {} : { words }) });
    await this.#parts.keeper.forget(info.id);
  }

  /** Resolves when the unit is at rest and nothing starts it again, or after `withinMs`. */
  async untilAtRest(withinMs: number): Promise<boolean> {
    const isOver = () => isAtRest(this.#state) && !this.#state.isStartAsked;
    if (isOver()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const check = () => {
      if (isOver()) resolve(true);
    };
    this.#waiters.add(check);
    const timer = Number.isFinite(withinMs) ? this.#parts.clock.setTimer(withinMs, () => resolve(false)) : undefined;
    const give = () => resolve(false);
    this.#parts.signal.addEventListener("abort", give, { once: true });
    try {
      return await promise;
    } finally {
      timer?.cancel();
      this.#waiters.delete(check);
      this.#parts.signal.removeEventListener("abort", give);
    }
  }

  /** No timer of this object fires any more. */
  close(): void {
    this.#deadline?.cancel();
    this.#look?.cancel();
  }

  async #handle(first: ServiceEvent): Promise<void> {
    try {
      await this.#handleAll([first]);
    } finally {
      this.#arm();
    }
  }

  /** An event, and those that acting on it brings. */
  async #handleAll(events: ServiceEvent[]): Promise<void> {
    for (let event = events.shift(); event; event = events.shift()) {
      const before = this.#state;
      const { state, actions } = step(this.service, before, event, await this.#view());
      if (state === before && actions.length === 0) continue;
      this.#state = state;
      this.#pending = actions;
      await this.#saveState();
      if (state.sub !== before.sub) this.#lookMs = LOOK_FIRST_MS;
      if (state !== before) this.#parts.onChange(this, before);
      events.push(...(await this.#performAll(actions)));
      for (const waiter of this.#waiters) waiter();
    }
  }

  async #view(): Promise<ServiceView> {
    const pids = await this.#persistently(() => this.#parts.keeper.cgroupPids(this.processCgroup));
    const { type, pidFile, guessesMainPid: guesses } = this.service;
    const isSearching = type === "forking" && !this.#state.main && !isAtRest(this.#state);
    const place = { guesses, ...(pidFile === undefined ? {} : { pidFile }) };
    const mainPidFound = isSearching ? await findMainPid(place, pids) : undefined;
    return { nowMs: this.#parts.clock.now(), pids, ...(mainPidFound === undefined ? {} : { mainPidFound }) };
  }

  async #saveState(): Promise<void> {
    const { main, control } = this.#state;
    const current = [main?.command?.id, control?.id];
    for (const id of Object.keys(this.#marks)) if (!current.includes(id)) delete this.#marks[id];
    const record = { state: this.#state, pending: this.#pending, marks: this.#marks };
    await this.#parts.files.saveState(this.#run.ref, record);
  }

  async #performAll(actions: readonly ServiceAction[]): Promise<readonly ServiceEvent[]> {
    const events: ServiceEvent[] = [];
    for (const action of actions) {
      const event = await this.#perform(action);
      // Told at once: what is started next (ExecStartPost=) gets the main process' $MAINPID.
      if (event?.type === "spawned") await this.#noteSpawned(event);
      else if (event) events.push(event);
    }
    return events;
  }

  async #noteSpawned(event: ServiceEvent): Promise<void> {
    const view = { nowMs: this.#parts.clock.now(), pids: [] };
    const { state } = step(this.service, this.#state, event, view);
    this.#state = state;
    await this.#saveState();
  }

  async #perform(action: ServiceAction): Promise<ServiceEvent | undefined> {
    const { keeper } = this.#parts;
    switch (action.type) {
      case "spawn":
        return this.#spawn(action);
      case "signal-cgroup":
        await this.#persistently(() => keeper.signalCgroup(this.processCgroup, action.signal));
        return undefined;
      case "signal-command":
        await this.#persistently(() => keeper.signal(this.#processId(action.id), action.signal));
        return undefined;
      case "signal-pid":
        signalPid(action.pid, action.signal);
        return undefined;
      case "restart": {
        const refusal = await unmetCondition(this.service, this.#parts.host);
        const invocationId = this.#parts.random.uuid().replaceAll("-", "");
        return { type: "start", invocationId, isAutomatic: true, ...(refusal === undefined ? {} : { refusal }) };
      }
    }
  }

  async #spawn({ id, command, isStopping }: Extract<ServiceAction, { type: "spawn" }>): Promise<ServiceEvent> {
    const { service } = this;
    try {
      const user = this.#user();
      const files = await readEnvironmentFiles(service.environmentFiles);
      const sources = { service, state: this.#state, pod: this.#run.env, files, user, isStopping };
      const env = processEnvironment({ ...sources, dockerHost: this.#parts.dockerHost });
      const dockerFlags = this.#parts.dockerFlags(this);
      const where = { id: this.#processId(id), cgroup: this.processCgroup, logDir: this.logDir };
      const spec = processSpec({ ...where, command, service, run: this.#run, env, user, dockerFlags });
      this.#limit();
      this.#marks[id] ??= await stderrSize(this.logDir);
      const info = await this.#persistently(() => this.#parts.keeper.spawn(spec));
      if (info.state === "running") return { type: "spawned", id, pid: info.pid };
      const words = await this.#wordsOf(id, info);
      return { type: "exited", id, end: endOf(info), ...(words === undefined ? {} : { words }) };
    } catch (error) {
      if (error instanceof EnvironmentFileError) return { type: "not-spawned", id, message: error.message };
      if (error instanceof DriverError && !error.temporary) return { type: "not-spawned", id, message: error.message };
      throw error;
    }
  }

  /** Limits are set anew with each start, for what was changed by hand meanwhile. */
  #limit(): void {
    if (this.#limitedInvocation === this.#state.invocation) return;
    this.#parts.cgroups.ensure(this.cgroup, unitCgroupLimits(this.service, this.#run.limits));
    this.#limitedInvocation = this.#state.invocation;
  }

  #user(): User | undefined {
    return this.service.user === undefined ? undefined : lookUpUser(this.service.user);
  }

  async #wordsOf(id: string, info: ProcessInfo): Promise<string | undefined> {
    if (info.error !== undefined) return info.error;
    if (info.exitCode === 0) return undefined;
    return lastWords(this.logDir, this.#marks[id] ?? 0);
  }

  #processId(id: string): string {
    const { podUid, container, attempt } = this.#run.ref;
    return `${podUid}/${container}/${attempt}/${id}`;
  }

  /** A keeper that is away for a moment must not change what happens to a unit. */
  async #persistently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        this.#parts.signal.throwIfAborted();
        return await ask();
      } catch (error) {
        if (!(error instanceof DriverError) || !error.temporary) throw error;
        this.#log.warn("asking the process keeper again", { error: error.message });
        await this.#parts.clock.sleep(RETRY_MS, this.#parts.signal);
      }
    }
  }

  #arm(): void {
    this.close();
    if (this.#parts.signal.aborted) return;
    const { clock } = this.#parts;
    const { deadlineMs, sub } = this.#state;
    if (deadlineMs !== undefined)
      this.#deadline = clock.setTimer(
        Math.max(1, deadlineMs - clock.now()),
        () => void this.#quietly({ type: "deadline" }),
      );
    if (!needsLooking(this.#state)) return;
    this.#look = clock.setTimer(this.#lookMs, () => void this.#quietly({ type: "look" }));
    this.#lookMs = Math.min(sub === "running" ? LOOK_RUNNING_MS : LOOK_ENDING_MS, this.#lookMs * 2);
  }

  /** What goes wrong is logged by `send`. */
  async #quietly(event: ServiceEvent): Promise<void> {
    await Promise.allSettled([this.send(event)]);
  }
}

function endOf({ exitCode, signal, lost, outOfMemory }: ProcessInfo): ProcessEnd {
  if (lost === true || (exitCode === undefined && signal === undefined)) return { isLost: true };
  return {
    ...(exitCode === undefined ? {} : { code: exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(outOfMemory === true ? { outOfMemory } : {}),
  };
}

/** Gone already is success. */
function signalPid(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
