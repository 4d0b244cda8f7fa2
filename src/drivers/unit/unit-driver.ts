/**
 * The unit driver: executes [Service] sections with systemd's semantics, with or without systemd on the host. How a service
 * moves is decided in service-step.ts; here the runs of the node are held, found again, and made to affect each other.
 */
import { childPlace } from "../../model/child-place.ts";
import type { DriverReport } from "../../model/node.ts";
import type { ChildContainer } from "../../model/pod.ts";
import type { ByteStream, ExecRequest, ExecSession, LogChunk, LogOptions, Usage } from "../../model/streams.ts";
import { dockerRunNames } from "../../model/unit/docker-run.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { CgroupUsage } from "../cgroup/cgroup-tree.ts";
import type { CgroupLimits } from "../cgroup/limit-files.ts";
import { type ContainerRun, type Driver, DriverError, type ObservedRun, type RunRef } from "../driver.ts";
import type { Keeper } from "../keeper/keeper.ts";
import { readLogs } from "../keeper/log-files.ts";
import { runProbe } from "../run-probe.ts";
import { connectTcp } from "../tcp-stream.ts";
import { ChildWatch } from "./child-watch.ts";
import { type Host, readHost } from "./host.ts";
import { RunFiles } from "./run-files.ts";
import { endedWithHost, isAtRest, type ServiceState } from "./service-state.ts";
import { isRunnable, UnitJobs } from "./unit-jobs.ts";
import { isLimited, unitCgroupLimits } from "./unit-limits.ts";
import { UnitRun } from "./unit-run.ts";
import { UsageMeter } from "./usage-meter.ts";

export interface UnitDriverOptions {
  readonly keeper: Keeper;
  readonly cgroups: {
    readonly root: string;
    ensure(name: string, limits?: CgroupLimits): void;
    usage(name: string): CgroupUsage | undefined;
  };
  /** Holds records, states and logs of the runs. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Default: this host's. */
  readonly host?: Host;
  /** The engine that units' own `docker` commands are to reach: `unix:///var/run/docker.sock`. */
  readonly dockerHost?: string;
  /** Labels on containers that a unit starts with `docker run`. */
  readonly childLabels?: (run: ContainerRun, unitName: string) => Readonly<Record<string, string>>;
  /** What `docker run --cgroup-parent` is for a cgroup of ours; undefined where the engine cannot have it (systemd's cgroup driver). */
  readonly cgroupParent?: (cgroup: string) => string | undefined;
  /** Containers with the unit's labels or one of the names. */
  readonly children?: (
    podUid: string,
    unitName: string,
    names: readonly string[],
  ) => Promise<readonly ChildContainer[]>;
  readonly childExec?: (id: string, request: ExecRequest) => Promise<ExecSession>;
  readonly childUsage?: (id: string) => Promise<Usage | undefined>;
}

export class UnitDriver implements Driver {
  readonly name = "unit" as const;
  readonly #options: UnitDriverOptions;
  readonly #host: Host;
  readonly #files: RunFiles;
  readonly #runs = new Map<string, UnitRun>();
  readonly #listeners = new Set<(change: ObservedRun | "lost") => void>();
  readonly #closing = new AbortController();
  readonly #children: ChildWatch;
  readonly #usage: UsageMeter;
  readonly #jobs: UnitJobs;
  #opened: Promise<void> | undefined;

  constructor(options: UnitDriverOptions) {
    this.#options = options;
    this.#host = options.host ?? readHost();
    this.#files = new RunFiles(options.stateDir);
    this.#usage = new UsageMeter(options.clock);
    this.#jobs = new UnitJobs({
      runs: this.#runs,
      log: options.log,
      tell: (unit) => this.#tell(unit),
      quietly: (unit, work) => this.#quietly(unit, work),
    });
    this.#children = new ChildWatch({
      clock: options.clock,
      log: options.log,
      signal: this.#closing.signal,
      look: (unit) => this.#lookForChildren(unit),
    });
  }

  async describe(): Promise<DriverReport> {
    try {
      await this.#open();
      await this.#options.keeper.pid();
      return { ready: true, version: "systemd 252 semantics" };
    } catch (error) {
      if (error instanceof DriverError) return { ready: false, reason: error.message };
      throw error;
    }
  }

  async list(): Promise<readonly ObservedRun[]> {
    await this.#open();
    return [...this.#runs.values()].map((unit) => unit.observed());
  }

  /** A unit brings nothing along that could be fetched before. */
  async prepare(): Promise<void> {
    await this.#open();
  }

  async start(run: ContainerRun): Promise<ObservedRun> {
    await this.#open();
    const wanted = run.spec.unit?.start !== false;
    const known = this.#runs.get(keyOf(run.ref));
    const unit = known ?? (await this.#add(run));
    const before = known?.run.spec.unit?.start !== false;
    if (known && before !== wanted) await unit.wish(wanted);
    if (known && before && !wanted) void this.#quietly(unit, this.#jobs.stop(unit));
    const isNew = !known || (!before && wanted);
    if (isNew && wanted && isRunnable(unit)) await this.#jobs.start(unit);
    this.#tell(unit);
    return unit.observed();
  }

  /** Stops as systemd does, however long ExecStop= and TimeoutStopSec= allow; `graceMs` counts where they allow for ever, and 0 means now. */
  async stop(ref: RunRef, { graceMs }: { readonly graceMs: number }): Promise<void> {
    await this.#open();
    const unit = this.#runs.get(keyOf(ref));
    if (!unit) return;
    await this.#jobs.stop(unit);
    const isBounded = Number.isFinite(unit.service.stopTimeoutMs);
    for (
      let withinMs = graceMs === 0 ? 0 : isBounded ? Number.POSITIVE_INFINITY : graceMs;
      ;
      withinMs = KILL_AGAIN_MS
    ) {
      if (await unit.untilAtRest(withinMs)) return;
      this.#closing.signal.throwIfAborted();
      await this.#options.keeper.signalCgroup(unit.processCgroup, SIGKILL);
    }
  }

  async remove(ref: RunRef): Promise<void> {
    await this.#open();
    const unit = this.#runs.get(keyOf(ref));
    if (!unit) return;
    if (!isAtRest(unit.state)) await this.stop(ref, { graceMs: REMOVAL_GRACE_MS });
    unit.close();
    this.#runs.delete(keyOf(ref));
    this.#children.forget(unit);
    this.#usage.forget(unit.cgroup);
    const { keeper } = this.#options;
    // Other attempts of the same container share the cgroup, and one of them may run.
    if (![...this.#runs.values()].some((other) => other.cgroup === unit.cgroup)) await keeper.removeCgroup(unit.cgroup);
    for (const { id } of await this.#processesOf(ref)) await keeper.forget(id);
    await this.#files.remove(ref);
  }

  async release(podUid: string): Promise<void> {
    await this.#open();
    for (const unit of this.#runsOf(podUid)) await this.remove(unit.run.ref);
    const { keeper } = this.#options;
    // A container of another driver may still run in the pod's cgroup; whoever is last takes it away.
    if ((await keeper.cgroupPids(podUid)).length === 0) await keeper.removeCgroup(podUid);
    await this.#files.removePod(podUid);
  }

  async pods(): Promise<readonly string[]> {
    return this.#files.pods();
  }

  async guard(refs: readonly RunRef[], forMs: number): Promise<void> {
    // All of a container's runs share its cgroup, with the containers that the unit starts itself.
    const names = new Set(refs.map(({ podUid, container }) => `${this.#options.cgroups.root}/${podUid}/${container}`));
    await this.#options.keeper.guard(this.name, [...names].sort(), forMs);
  }

  watch(listener: (change: ObservedRun | "lost") => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
    // A watch tells changes only: whoever begins one has to list first.
    this.#options.clock.setTimer(0, () => {
      if (this.#listeners.has(listener)) listener("lost");
    });
  }

  async *logs(ref: RunRef, options: LogOptions): AsyncIterable<LogChunk> {
    const { previous, ...rest } = options;
    const unit = this.#runs.get(keyOf(ref));
    const which = previous ? { ...ref, attempt: ref.attempt - 1 } : ref;
    if (previous && !this.#runs.has(keyOf(which)))
      throw new DriverError(`previous terminated container "${ref.container}" of pod ${ref.podUid} not found`, {
        temporary: false,
        reason: "ContainerNotFound",
      });
    const hasEnded = async () => previous === true || !unit || unit.observed().state === "exited";
    yield* readLogs(this.#files.logDir(which), { ...rest, hasEnded });
  }

  /** In the unit's own container if it has one, else beside its processes. */
  async exec(ref: RunRef, request: ExecRequest): Promise<ExecSession> {
    await this.#open();
    const unit = this.#mustHave(ref);
    // Without an engine there is no such container: a unit that never had one does not need it.
    await this.#lookForChildren(unit).catch((error: unknown) => {
      if (!(error instanceof DriverError) || unit.children.length > 0) throw error;
    });
    const child = unit.children.find(({ state }) => state === "running");
    const { childExec } = this.#options;
    if (child && childExec) return childExec(child.id, request);
    return this.#execBeside(unit, request);
  }

  /** The host's network; of a container that the unit started, where that answers. */
  async connect(ref: RunRef, port: number): Promise<ByteStream> {
    await this.#open();
    const unit = this.#mustHave(ref);
    await this.#lookForChildren(unit);
    const place = childPlace(unit.children, "127.0.0.1", port);
    return connectTcp(place?.address ?? "127.0.0.1", place?.port ?? port);
  }

  async probe(ref: RunRef, command: readonly string[], timeoutMs: number) {
    const session = await this.exec(ref, { command, tty: false, stdin: false });
    session.endInput();
    return await runProbe({ session, command, timeoutMs, alive: () => this.#options.keeper.pid() });
  }

  async usage(ref: RunRef): Promise<Usage | undefined> {
    const unit = this.#runs.get(keyOf(ref));
    if (!unit) return undefined;
    const own = this.#usage.read(unit.cgroup, this.#options.cgroups.usage(unit.cgroup));
    const { childUsage } = this.#options;
    // Containers in the unit's cgroup are counted with it.
    if (!own || !childUsage || this.#cgroupParentOf(unit) !== undefined) return own;
    const children = await Promise.all(unit.children.map(({ id }) => childUsage(id)));
    return children.reduce<Usage>(
      (sum, child) => ({
        cpuMillis: sum.cpuMillis + (child?.cpuMillis ?? 0),
        memoryBytes: sum.memoryBytes + (child?.memoryBytes ?? 0),
      }),
      own,
    );
  }

  /** Containers of units may have come or gone: for whoever hears the engine's events. */
  async refreshChildren(podUid?: string): Promise<void> {
    const units = podUid === undefined ? [...this.#runs.values()] : this.#runsOf(podUid);
    for (const unit of units) await this.#lookForChildren(unit);
  }

  /** Ends this object's work. Units go on; another driver on the same folder takes them over. */
  close(): void {
    this.#closing.abort();
    for (const unit of this.#runs.values()) unit.close();
    this.#listeners.clear();
  }

  /** Finds what is there. Tried again by the next call when the keeper cannot be reached. */
  #open(): Promise<void> {
    this.#opened ??= this.#adopt().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #adopt(): Promise<void> {
    const { keeper, clock } = this.#options;
    const processes = await keeper.list();
    for (const { record, state } of await this.#files.loadAll()) {
      const { run, bootId } = record;
      if (this.#runs.has(keyOf(run.ref))) continue;
      const isSameBoot = bootId === this.#host.bootId;
      const adopted =
        state && !isSameBoot ? { ...state, state: endedWithHost(state.state, clock.now()), pending: [] } : state;
      const unit = this.#make(run, adopted);
      this.#runs.set(keyOf(run.ref), unit);
      if (isSameBoot)
        void this.#quietly(
          unit,
          this.#resume(
            unit,
            processes.filter(({ id }) => id.startsWith(`${keyOf(run.ref)}/`)),
          ),
        );
    }
    keeper.watch((info) => void this.#heard(info), this.#closing.signal);
  }

  async #resume(unit: UnitRun, processes: Parameters<UnitRun["resume"]>[0]): Promise<void> {
    this.#children.look(unit);
    await unit.resume(processes);
    const { state, run } = unit;
    const wasNeverStarted = state.invocation === 0 && state.finishedAtMs === undefined;
    if (wasNeverStarted && run.spec.unit?.start !== false && isRunnable(unit)) await this.#jobs.start(unit);
  }

  async #heard(info: Parameters<Parameters<Keeper["watch"]>[0]>[0]): Promise<void> {
    if (info === "lost") return this.#lookAgain();
    const unit = this.#runs.get(info.id.split("/").slice(0, 3).join("/"));
    if (unit && info.state === "exited") await this.#quietly(unit, unit.processEnded(info));
  }

  async #lookAgain(): Promise<void> {
    try {
      const processes = await this.#options.keeper.list();
      for (const [key, unit] of this.#runs)
        await unit.reconcile(processes.filter(({ id }) => id.startsWith(`${key}/`)));
    } catch (error) {
      // The keeper says "lost" again once it can be reached.
      if (!this.#closing.signal.aborted) this.#options.log.warn("cannot list the units' processes", { error });
    }
  }

  async #add(run: ContainerRun): Promise<UnitRun> {
    const unit = this.#make(run, undefined);
    this.#runs.set(keyOf(run.ref), unit);
    await unit.save();
    for (const warning of unit.warnings) this.#options.log.warn(warning);
    const unheld = this.#jobs.unheldNames(unit);
    if (unheld.length > 0)
      this.#options.log.info("the unit names units that are not run here; they have no effect on it", {
        unit: unit.service.name,
        named: unheld,
      });
    return unit;
  }

  #make(run: ContainerRun, record: ConstructorParameters<typeof UnitRun>[2]): UnitRun {
    const { keeper, cgroups, clock, random, log, dockerHost } = this.#options;
    return new UnitRun(
      {
        ...{ keeper, cgroups, clock, random, log, dockerHost },
        files: this.#files,
        host: this.#host,
        dockerFlags: (unit) => this.#dockerFlags(unit),
        onChange: (unit, before) => this.#changed(unit, before),
        signal: this.#closing.signal,
      },
      run,
      record,
    );
  }

  /** Called in the middle of a unit's move: nothing here may wait for that unit. */
  #changed(unit: UnitRun, before: ServiceState): void {
    this.#tell(unit);
    if (unit.state.sub === before.sub && unit.state.invocation === before.invocation) return;
    this.#children.look(unit);
    this.#jobs.moved(unit, before);
  }

  #dockerFlags(unit: UnitRun): readonly string[] {
    const { name } = unit.service;
    const labels = this.#options.childLabels?.(unit.run, name) ?? {
      "dev.styrmann.unit": name,
      "dev.styrmann.pod": unit.run.ref.podUid,
    };
    const parent = this.#cgroupParentOf(unit);
    const flags = Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    return parent === undefined ? flags : [...flags, "--cgroup-parent", parent];
  }

  #cgroupParentOf(unit: UnitRun): string | undefined {
    const isBound = unit.run.pod.exclusive === true || isLimited(unitCgroupLimits(unit.service, unit.run.limits));
    if (!isBound) return undefined;
    return this.#options.cgroupParent?.(`${unit.cgroup}/docker`);
  }

  async #lookForChildren(unit: UnitRun): Promise<void> {
    const { name } = unit.service;
    const listed = await this.#options.children?.(unit.run.ref.podUid, name, dockerRunNames(unit.service));
    const found = listed?.map(childContainer);
    if (found === undefined || JSON.stringify(found) === JSON.stringify(unit.children)) return;
    unit.children = found;
    this.#tell(unit);
  }

  #execBeside(unit: UnitRun, { command, ...request }: ExecRequest): Promise<ExecSession> {
    const { service, run } = unit;
    const env = { PATH: DEFAULT_PATH, ...run.env, ...service.environment };
    const cgroup = `${unit.cgroup}/exec`;
    const who = service.user === undefined ? {} : { user: service.user, initGroups: true };
    return this.#options.keeper.exec({ argv: command, env, cwd: "/", cgroup, ...who }, request);
  }

  async #processesOf(ref: RunRef) {
    const processes = await this.#options.keeper.list(`${keyOf(ref)}/`);
    return processes.filter(({ state }) => state === "exited");
  }

  #runsOf(podUid: string): readonly UnitRun[] {
    return [...this.#runs.values()].filter(({ run }) => run.ref.podUid === podUid);
  }

  #mustHave(ref: RunRef): UnitRun {
    const unit = this.#runs.get(keyOf(ref));
    if (unit) return unit;
    throw new DriverError(`there is no run ${keyOf(ref)} here`, { temporary: false, reason: "ContainerNotFound" });
  }

  #tell(unit: UnitRun): void {
    const observed = unit.observed();
    for (const listener of this.#listeners) listener(observed);
  }

  /** For what nobody waits for. Its failure is the unit's, not the program's. */
  async #quietly(unit: UnitRun, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#options.log.error("work on a unit failed", { unit: unit.service.name, error });
    }
  }
}

const SIGKILL = 9;
const KILL_AGAIN_MS = 1000;
/** For units that may take for ever to stop and were not stopped before they are removed. */
const REMOVAL_GRACE_MS = 10_000;
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function keyOf({ podUid, container, attempt }: RunRef): string {
  return `${podUid}/${container}/${attempt}`;
}

/** What is reported of it, and no more than that (its labels stay on the node). */
function childContainer({ id, name, image, state, ports, address }: ChildContainer): ChildContainer {
  return {
    ...{ id, name, image, state },
    ...(ports === undefined ? {} : { ports }),
    ...(address === undefined ? {} : { address }),
  };
}
