/**
 * Commands on the host in their own cgroup (Marathon's `cmd` without a container). The keeper is the parent of the
 * processes; this driver gives them sandbox, limits and user, and sees to it that a run that ended leaves nothing running.
 */
import { chown, mkdir, rm, symlink } from "node:fs/promises";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DriverReport } from "../../model/node.ts";
import type { ByteStream, ExecRequest, ExecSession, LogChunk, LogOptions, Usage } from "../../model/streams.ts";
import type { CgroupTree } from "../cgroup/cgroup-tree.ts";
import { UsageMeter } from "../cgroup/usage-meter.ts";
import {
  type ContainerRun,
  type Driver,
  DriverError,
  type ObservedRun,
  type Progress,
  type RunRef,
} from "../driver.ts";
import type { Keeper, ProcessContext, ProcessInfo } from "../keeper/keeper.ts";
import { readLogs } from "../keeper/log-files.ts";
import { lookUpGroup, lookUpUser } from "../keeper/users.ts";
import { runProbe } from "../run-probe.ts";
import { connectTcp } from "../tcp-stream.ts";
import { fetchError, fetchInto } from "./fetch.ts";
import { type PlannedFetch, planFetch } from "./fetch-plan.ts";
import { commandOf, contextOf, volumeLinks } from "./run-context.ts";
import { type RunFolder, RunFolders } from "./run-folders.ts";
import { cgroupOf, observedRun, processIdOf, refOf } from "./run-ids.ts";

export interface ProcessDriverParts {
  readonly keeper: Keeper;
  readonly tree: CgroupTree;
  /** Sandboxes and logs are below it; the tasks' users must be able to pass through it (mode 0711). */
  readonly dataDir: string;
  /** For all log files of one run. Default 10 MiB. */
  readonly logBytes?: number;
  /** For one fetched URI. Default 4 GiB. */
  readonly fetchBytes?: number;
}

const DEFAULT_FETCH_BYTES = 4 * 1024 ** 3;
const FETCH_DEADLINE_MS = 15 * 60_000;
const END_DEADLINE_MS = 10_000;
const { SIGKILL, SIGTERM, SIGCONT } = constants.signals;

export class ProcessDriver implements Driver {
  readonly name = "process";
  readonly #parts: ProcessDriverParts;
  readonly #folders: RunFolders;
  readonly #meter: UsageMeter;

  constructor(parts: ProcessDriverParts) {
    this.#parts = parts;
    this.#folders = new RunFolders(parts.dataDir);
    this.#meter = new UsageMeter(parts.tree);
  }

  async describe(): Promise<DriverReport> {
    const problem = this.#parts.tree.problem();
    if (problem !== undefined) return { ready: false, reason: problem };
    try {
      await this.#parts.keeper.pid();
      return { ready: true };
    } catch (error) {
      if (error instanceof DriverError) return { ready: false, reason: error.message };
      throw error;
    }
  }

  async list(): Promise<readonly ObservedRun[]> {
    return this.#runsAmong(await this.#parts.keeper.list());
  }

  async prepare(
    run: ContainerRun,
    { progress, signal }: { readonly progress?: Progress; readonly signal?: AbortSignal },
  ): Promise<void> {
    if (await this.#folders.isPrepared(run.ref)) return;
    commandOf(run, this.#folders.of(run.ref));
    const links = volumeLinks(run);
    const plans = (run.spec.process?.fetch ?? []).map(planFetch);
    const refused = plans.find((plan) => typeof plan === "string");
    if (refused !== undefined) throw fetchError(String(refused), false);
    const folder = await this.#folders.make(run.ref);
    const owner = ownerOf(contextOf(run, folder));
    await chown(folder.sandbox, owner.uid, owner.gid);
    for (const { path, target } of links) await link(join(folder.sandbox, path), target);
    await this.#fetchAll(plans as readonly PlannedFetch[], folder, { ...owner, progress, signal });
    await this.#folders.markPrepared(run.ref);
  }

  async start(run: ContainerRun): Promise<ObservedRun> {
    const id = processIdOf(run.ref);
    const known = await this.#parts.keeper.get(id);
    if (known) return observedRun(run.ref, known);
    await this.prepare(run, {});
    await this.#endEarlierRuns(run.ref);
    const folder = await this.#folders.make(run.ref);
    const context = contextOf(run, folder);
    await this.#folders.saveContext(run.ref, context);
    this.#parts.tree.ensure(context.cgroup, run.limits);
    const { logBytes } = this.#parts;
    const argv = commandOf(run, folder);
    const spec = { ...context, id, argv, logDir: folder.logs, ...(logBytes === undefined ? {} : { logBytes }) };
    return observedRun(run.ref, await this.#parts.keeper.spawn(spec));
  }

  async stop(ref: RunRef, { graceMs }: { readonly graceMs: number }): Promise<void> {
    const { keeper, tree } = this.#parts;
    const cgroup = cgroupOf(ref);
    if (graceMs > 0 && tree.pids(cgroup).length > 0) {
      await keeper.signalCgroup(cgroup, SIGTERM);
      // A stopped process gets its SIGTERM only when it goes on.
      await keeper.signalCgroup(cgroup, SIGCONT);
      const deadline = performance.now() + graceMs;
      while (tree.pids(cgroup).length > 0 && performance.now() < deadline) await delay(20);
    }
    await keeper.signalCgroup(cgroup, SIGKILL);
    await this.#untilEnded(ref);
  }

  async remove(ref: RunRef): Promise<void> {
    await this.stop(ref, { graceMs: 0 });
    await this.#parts.keeper.removeCgroup(cgroupOf(ref));
    this.#meter.forget(cgroupOf(ref));
    await this.#parts.keeper.forget(processIdOf(ref));
    await this.#folders.remove(ref);
  }

  async release(podUid: string): Promise<void> {
    const own = this.#runsAmong(await this.#parts.keeper.list(`${podUid}/`));
    for (const { ref } of own) await this.remove(ref);
    // A container of another driver may still run in the pod's cgroup; whoever is last takes it away.
    if (this.#parts.tree.pids(podUid).length === 0) await this.#parts.keeper.removeCgroup(podUid);
    await this.#folders.removePod(podUid);
  }

  async pods(): Promise<readonly string[]> {
    const running = (await this.list()).map(({ ref }) => ref.podUid);
    return [...new Set([...running, ...(await this.#folders.podUids())])].sort();
  }

  async guard(refs: readonly RunRef[], forMs: number): Promise<void> {
    const cgroups = refs.map((ref) => `${this.#parts.tree.root}/${cgroupOf(ref)}`);
    await this.#parts.keeper.guard(this.name, cgroups, forMs);
  }

  watch(listener: (change: ObservedRun | "lost") => void, signal: AbortSignal): void {
    this.#parts.keeper.watch((change) => {
      if (change === "lost") return listener("lost");
      const ref = refOf(change.id);
      if (!ref) return;
      if (change.state === "exited") this.#endLeftovers(change);
      listener(observedRun(ref, change));
    }, signal);
  }

  async *logs(ref: RunRef, options: LogOptions): AsyncGenerator<LogChunk> {
    const { previous, ...rest } = options;
    const wanted = previous ? { ...ref, attempt: ref.attempt - 1 } : ref;
    if (wanted.attempt < 0) throw noPreviousRun(ref);
    const hasEnded = async () => (await this.#parts.keeper.get(processIdOf(wanted)))?.state !== "running";
    yield* readLogs(this.#folders.of(wanted).logs, { ...rest, hasEnded });
  }

  async exec(ref: RunRef, request: ExecRequest): Promise<ExecSession> {
    const { command, ...how } = request;
    const context = await this.#contextOfRunning(ref);
    const env = how.tty ? { TERM: "xterm", ...context.env } : context.env;
    return this.#parts.keeper.exec({ ...context, env, argv: command }, how);
  }

  /** A process has the host's network. */
  async connect(ref: RunRef, port: number): Promise<ByteStream> {
    await this.#contextOfRunning(ref);
    return connectTcp("127.0.0.1", port);
  }

  async probe(ref: RunRef, command: readonly string[], timeoutMs: number) {
    const session = await this.exec(ref, { command, tty: false, stdin: false });
    return await runProbe({ session, command, timeoutMs, alive: () => this.#parts.keeper.pid() });
  }

  usage(ref: RunRef): Promise<Usage | undefined> {
    return Promise.resolve(this.#meter.read(cgroupOf(ref)));
  }

  async #fetchAll(
    plans: readonly PlannedFetch[],
    { sandbox }: RunFolder,
    how: { uid: number; gid: number; progress: Progress | undefined; signal: AbortSignal | undefined },
  ): Promise<void> {
    const deadline = AbortSignal.timeout(FETCH_DEADLINE_MS);
    const signal = how.signal ? AbortSignal.any([how.signal, deadline]) : deadline;
    const mostBytes = this.#parts.fetchBytes ?? DEFAULT_FETCH_BYTES;
    for (const [at, plan] of plans.entries()) {
      how.progress?.(`fetching ${plan.uri} (${at + 1} of ${plans.length})`);
      await fetchInto(plan, { sandbox, uid: how.uid, gid: how.gid, mostBytes, signal });
    }
  }

  async #contextOfRunning(ref: RunRef): Promise<ProcessContext> {
    const context = await this.#folders.context(ref);
    const info = await this.#parts.keeper.get(processIdOf(ref));
    if (context && info?.state === "running") return context;
    throw new DriverError(`container ${ref.container} does not run`, { temporary: false, reason: "NotRunning" });
  }

  #runsAmong(processes: readonly ProcessInfo[]): readonly ObservedRun[] {
    const runs: ObservedRun[] = [];
    for (const info of processes) {
      const ref = refOf(info.id);
      if (!ref) continue;
      if (info.state === "exited") this.#endLeftovers(info);
      runs.push(observedRun(ref, info));
    }
    return runs;
  }

  /** What the main process left behind goes with it. */
  #endLeftovers({ cgroup }: ProcessInfo): void {
    if (this.#parts.tree.pids(cgroup).length > 0) this.#parts.tree.killOnce(cgroup);
  }

  /** The same container's earlier runs: they may still hold its ports. */
  async #endEarlierRuns({ podUid, container, attempt }: RunRef): Promise<void> {
    const runs = this.#runsAmong(await this.#parts.keeper.list(`${podUid}/${container}/`));
    for (const { ref, state } of runs) {
      if (ref.attempt >= attempt) continue;
      if (state === "running" || this.#parts.tree.pids(cgroupOf(ref)).length > 0) await this.stop(ref, { graceMs: 0 });
    }
  }

  async #untilEnded(ref: RunRef): Promise<void> {
    const deadline = performance.now() + END_DEADLINE_MS;
    for (;;) {
      const info = await this.#parts.keeper.get(processIdOf(ref));
      if (info?.state !== "running") return;
      if (performance.now() > deadline) {
        const message = `process ${info.pid} of ${ref.container} was killed, but its end is not seen`;
        throw new DriverError(message, { temporary: true, reason: "KillContainerError" });
      }
      await delay(10);
    }
  }
}

/** An unknown user is reported by the start itself; until then the files are root's. */
function ownerOf({ user, gid }: ProcessContext): { readonly uid: number; readonly gid: number } {
  const known = user === undefined ? undefined : lookUpUser(user);
  const group = gid === undefined ? undefined : lookUpGroup(String(gid));
  return { uid: known?.uid ?? process.getuid?.() ?? 0, gid: group ?? known?.gid ?? process.getgid?.() ?? 0 };
}

/** Kubernetes' words. */
function noPreviousRun({ container }: RunRef): DriverError {
  const message = `previous terminated container "${container}" not found`;
  return new DriverError(message, { temporary: false, reason: "NotFound" });
}

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await rm(path, { force: true });
  await symlink(target, path);
}
