/**
 * Runs containers on a Docker Engine. Marks (labels) on the containers say what is ours; the engine's events say what changed. A start is two
 * calls, create and start: everything else is known or off the way. See driver.ts for what each method promises.
 */
import { availableParallelism } from "node:os";
import { assert } from "../../lib/assert.ts";
import type { DriverReport } from "../../model/node.ts";
import { otherNetwork } from "../../model/pod-network-need.ts";
import type { ByteStream, ExecRequest, ExecSession, LogChunk, LogOptions, Usage } from "../../model/streams.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import {
  type ContainerRun,
  type Driver,
  DriverError,
  type ObservedRun,
  type Progress,
  type RunRef,
} from "../driver.ts";
import { runProbe } from "../run-probe.ts";
import { appBody, type BodySettings, type LogBounds, sharesOf } from "./container-body.ts";
import { connectToContainer } from "./container-connection.ts";
import {
  containerCounters,
  containerLogs,
  execInContainer,
  inspectContainer,
  UsageMeter,
} from "./container-streams.ts";
import type { Engine } from "./engine.ts";
import type { ContainerSummary, EngineInfo } from "./engine-facts.ts";
import { Images } from "./images.ts";
import { InfraContainers } from "./infra-containers.ts";
import { appName, LABEL, type Labels, refOf } from "./labels.ts";
import { Limiter } from "./limiter.ts";
import { observedOf, runState } from "./observe.ts";
import { oomScoreFloor } from "./oom-score.ts";
import { PodCgroups } from "./pod-cgroups.ts";
import { ensurePodNetwork, NETWORK_NOT_READY, type PodNetworkSettings, subnetOf } from "./pod-network.ts";
import { already, isRefusal, withReason } from "./refusal.ts";
import { refuseRoot } from "./refuse-root.ts";
import { Removal } from "./removal.ts";
import { RunWatch } from "./run-watch.ts";
import { SeenRuns } from "./seen.ts";
import { SingleFlight } from "./single-flight.ts";
import { createAndStart } from "./start-container.ts";

export interface DockerDriverOptions {
  readonly engine: Engine;
  /** Identifies the state directory for ever; only what carries it is ours. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: network `styrmann`, 10.42.0.0/24. */
  readonly network?: Partial<Omit<PodNetworkSettings, "instance">>;
  /** Name of the top-level cgroup of all pods. Default `styrmann`. */
  readonly cgroupRoot?: string;
  /** An engine is bound by CPU: fewer than 4 leave it idle, more than 8 are slower. Default: twice the cores, within that. */
  readonly startsAtOnce?: number;
  /** Kills what is in these cgroups unless asked again in time: the keeper's (Keeper.guard). */
  readonly guard?: (cgroups: readonly string[], forMs: number) => Promise<void>;
  /** Default 3 files of 10 MiB per container. */
  readonly logs?: LogBounds;
}

interface EngineFacts {
  readonly architecture: string;
  readonly version: string;
  readonly cgroups: PodCgroups;
  readonly oomScoreFloor: number;
}

const PING_TIMEOUT_MS = 3000;
const STOP_SLACK_MS = 30_000;

export class DockerDriver implements Driver {
  readonly name = "docker";
  readonly #engine: Engine;
  readonly #options: DockerDriverOptions;
  readonly #network: PodNetworkSettings;
  readonly #images: Images;
  readonly #infra: InfraContainers;
  readonly #removal: Removal;
  readonly #starts: Limiter;
  readonly #inspects = new Limiter(8);
  readonly #seen = new SeenRuns();
  readonly #meter = new UsageMeter();
  readonly #startFlights = new SingleFlight<ObservedRun>();
  readonly #networkFlight = new SingleFlight<void>();
  readonly #factsFlight = new SingleFlight<EngineFacts>();
  /** Milli-CPUs asked for by each container of a pod: their sum is the pod's weight. */
  readonly #cpuRequests = new Map<string, Map<string, number>>();
  #facts: EngineFacts | undefined;
  /** The subnet of the network as it was made sure of last. */
  #madeSure: string | undefined;

  constructor(options: DockerDriverOptions) {
    this.#options = options;
    this.#engine = options.engine;
    this.#network = { name: "styrmann", subnet: "10.42.0.0/24", ...options.network, instance: options.instance };
    this.#images = new Images(options.engine);
    this.#starts = new Limiter(options.startsAtOnce ?? Math.min(8, Math.max(4, 2 * availableParallelism())));
    this.#removal = new Removal(options.engine, options.clock);
    this.#infra = new InfraContainers({ engine: options.engine, instance: options.instance, images: this.#images });
  }

  async describe(): Promise<DriverReport> {
    const version = this.#facts?.version;
    try {
      await this.#engine.ping(PING_TIMEOUT_MS);
      const facts = await this.#engineFacts();
      const network = await this.#networkTrouble();
      return { ready: true, version: facts.version, ...(network === undefined ? {} : { network }) };
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      return { ready: false, reason: error.message, ...(version === undefined ? {} : { version }) };
    }
  }

  async bringNetwork(): Promise<void> {
    await this.describe();
  }

  async list(): Promise<readonly ObservedRun[]> {
    const summaries = await this.#summaries();
    const runs = await Promise.all(
      summaries.filter(({ Labels }) => refOf(Labels ?? {})).map((found) => this.#observe(found)),
    );
    this.#seen.keepOnly(new Set(summaries.map(({ Id }) => Id)));
    return runs.filter((run) => run !== undefined);
  }

  async prepare(
    run: ContainerRun,
    options: { readonly progress?: Progress; readonly signal?: AbortSignal },
  ): Promise<void> {
    await this.#images.ensure(run.spec, options.progress ?? (() => undefined), options.signal);
  }

  start(run: ContainerRun): Promise<ObservedRun> {
    return this.#startFlights.run(appName(run, this.#options.instance), () => this.#start(run));
  }

  async stop(ref: RunRef, { graceMs }: { readonly graceMs: number }): Promise<void> {
    const id = await this.#idOf(ref);
    if (id === undefined) return;
    const query = { t: Math.ceil(graceMs / 1000) };
    const request = {
      method: "POST",
      path: `/containers/${id}/stop`,
      query,
      timeoutMs: graceMs + STOP_SLACK_MS,
    } as const;
    await withReason("KillContainerError", () => already([304, 404], () => this.#engine.call(request)));
  }

  async remove(ref: RunRef): Promise<void> {
    const id = await this.#idOf(ref);
    if (id !== undefined) await this.#removeById(id);
  }

  async release(podUid: string): Promise<void> {
    const left = await this.#summaries(`${LABEL.podUid}=${podUid}`);
    await Promise.all(left.map(({ Id }) => this.#removeById(Id)));
    this.#infra.forget(podUid);
    this.#cpuRequests.delete(podUid);
    await (await this.#engineFacts()).cgroups.remove(podUid);
  }

  async quiesce(podUid: string): Promise<void> {
    const left = await this.#summaries(`${LABEL.podUid}=${podUid}`, `${LABEL.role}=infra`);
    await Promise.all(left.map(({ Id }) => this.#removeById(Id)));
    this.#infra.forget(podUid);
  }

  async pods(): Promise<readonly string[]> {
    const { cgroups } = await this.#engineFacts();
    const marked = (await this.#summaries()).flatMap(({ Labels }) => Labels?.[LABEL.podUid] ?? []);
    return [...new Set([...marked, ...(await cgroups.pods())])].sort();
  }

  /** Not through the engine, which may hang: whoever watches kills what is in the pods' cgroups. */
  async guard(refs: readonly RunRef[], forMs: number): Promise<void> {
    const { guard } = this.#options;
    if (guard === undefined) throw unguarded("there is no keeper");
    if (refs.length === 0) return await guard([], 0);
    const uids = [...new Set(refs.map(({ podUid }) => podUid))].sort();
    const cgroups = this.#facts?.cgroups ?? (await this.#engineFacts()).cgroups;
    const paths = uids.flatMap((uid) => cgroups.pathOf(uid) ?? []);
    if (paths.length < uids.length) throw unguarded("the engine is on another host");
    await guard(paths, forMs);
  }

  watch(listener: (change: ObservedRun | "lost") => void, signal: AbortSignal): void {
    const { instance, clock, log } = this.#options;
    const watch = new RunWatch({
      ...{ engine: this.#engine, instance, clock, log, seen: this.#seen, images: this.#images },
      onEngineBack: () => this.#forgetEngine(),
      onInfraDeath: (podUid) => this.#infra.forget(podUid),
    });
    watch.run(listener, signal).catch((error: unknown) => {
      // A bug in a listener: it must stop the program, not the watch alone.
      setImmediate(() => {
        throw error;
      });
    });
  }

  async *logs(ref: RunRef, options: LogOptions): AsyncGenerator<LogChunk> {
    const id = options.previous ? await this.#previousOf(ref) : await this.#idOf(ref);
    if (id === undefined) throw notFound(ref, options.previous === true);
    yield* containerLogs(this.#engine, id, options);
  }

  async exec(ref: RunRef, request: ExecRequest): Promise<ExecSession> {
    return await execInContainer(this.#engine, await this.#mustFind(ref), request);
  }

  async connect(ref: RunRef, port: number): Promise<ByteStream> {
    const id = await this.#mustFind(ref);
    const details = await withReason("ConnectError", () => inspectContainer(this.#engine, id));
    return await connectToContainer(this.#engine, details, port);
  }

  async probe(
    ref: RunRef,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string }> {
    const request = { command, tty: false, stdin: false };
    const session = await execInContainer(this.#engine, await this.#mustFind(ref), request);
    return await runProbe({ session, command, timeoutMs, alive: () => session.hasBegun() });
  }

  async usage(ref: RunRef): Promise<Usage | undefined> {
    const id = await this.#idOf(ref);
    if (id === undefined) return undefined;
    const counters = await containerCounters(this.#engine, id);
    const nowMs = this.#options.clock.now();
    return counters && this.#meter.read(id, counters, nowMs, this.#seen.get(id)?.startedAtMs ?? nowMs);
  }

  async #start(run: ContainerRun): Promise<ObservedRun> {
    const facts = await this.#engineFacts();
    if (!run.pod.hostNetwork && otherNetwork(run.spec, this.#network.name) === undefined) await this.#ensureNetwork();
    const settings: BodySettings = {
      ...{ instance: this.#options.instance, network: this.#network.name },
      cgroupParent: facts.cgroups.parentOf(run.pod.uid),
      oomScoreFloor: facts.oomScoreFloor,
      logs: this.#options.logs ?? { bytesPerFile: 10 * 1024 * 1024, files: 3 },
    };
    const started = await this.#starts.run(async () => {
      const infraId = run.pod.sharesNamespaces
        ? await this.#infra.ensure(run.pod, facts.architecture, settings)
        : undefined;
      return await this.#createAndStart(run, infraId === undefined ? settings : { ...settings, infraId });
    });
    this.#afterStart(run, facts.cgroups);
    return started;
  }

  async #createAndStart(run: ContainerRun, settings: BodySettings): Promise<ObservedRun> {
    const { clock, instance } = this.#options;
    const image = run.spec.image ?? "";
    const imageId = this.#images.idOf(image);
    const body = appBody(run, settings);
    if (run.runAsNonRoot) refuseRoot(run, body.User ?? (await this.#images.userOf(image)), body.User === undefined);
    try {
      return await createAndStart(run, {
        ...{
          engine: this.#engine,
          seen: this.#seen,
          clock,
          name: appName(run, instance),
          body,
        },
        ...(imageId === undefined ? {} : { imageId }),
      });
    } catch (error) {
      // The image, the network or the infra container went behind our back: the next try makes sure of them again.
      if (error instanceof DriverError && (error.temporary || error.reason === "RunContainerError")) {
        this.#images.forget(image);
        this.#madeSure = undefined;
        this.#infra.forget(run.pod.uid);
      }
      throw error;
    }
  }

  /** What may wait until the container runs: the pod's weight, and old attempts of which only the last is kept for its logs. */
  #afterStart(run: ContainerRun, cgroups: PodCgroups): void {
    const requests = this.#cpuRequests.get(run.pod.uid) ?? new Map<string, number>();
    this.#cpuRequests.set(run.pod.uid, requests.set(run.ref.container, run.limits.cpuRequestMillis));
    const shares = sharesOf([...requests.values()].reduce((sum, millis) => sum + millis, 0));
    const chores = [cgroups.setWeight(run.pod.uid, shares)];
    if (run.ref.attempt >= 2) chores.push(this.#removeOldAttempts(run.ref));
    for (const chore of chores)
      chore.catch((error: unknown) =>
        this.#options.log.warn("after a start", { pod: run.pod.name, error: String(error) }),
      );
  }

  async #removeOldAttempts({ podUid, container, attempt }: RunRef): Promise<void> {
    const found = await this.#attemptsOf(podUid, container);
    const old = found.filter((other) => other.attempt <= attempt - 2);
    await Promise.all(old.map(({ id }) => this.#removeById(id)));
  }

  async #removeById(id: string): Promise<void> {
    this.#seen.markRemoved(id);
    await this.#removal.remove(id);
    this.#seen.forget(id);
    this.#meter.forget(id);
  }

  async #observe({ Id, State, Labels }: ContainerSummary): Promise<ObservedRun | undefined> {
    this.#noteRequest(Labels ?? {});
    const seen = this.#seen.get(Id);
    const isWhole = seen?.address !== undefined || Labels?.[LABEL.network] === undefined;
    if (seen && seen.state === runState(State) && seen.state !== "created" && isWhole) return seen;
    return await this.#inspects.run(async () => {
      const details = await withReason("InspectError", () => inspectContainer(this.#engine, Id)).catch(
        undefinedWhenGone,
      );
      const run = details && observedOf(details);
      return run && this.#seen.note(Id, run);
    });
  }

  #noteRequest(labels: Labels): void {
    const ref = refOf(labels);
    const millis = Number(labels[LABEL.cpuRequest]);
    if (!ref || Number.isNaN(millis)) return;
    const requests = this.#cpuRequests.get(ref.podUid) ?? new Map<string, number>();
    if (!requests.has(ref.container)) this.#cpuRequests.set(ref.podUid, requests.set(ref.container, millis));
  }

  async #idOf(ref: RunRef): Promise<string | undefined> {
    const known = this.#seen.idOf(ref);
    if (known !== undefined) return known;
    return (await this.#attemptsOf(ref.podUid, ref.container)).find(({ attempt }) => attempt === ref.attempt)?.id;
  }

  async #mustFind(ref: RunRef): Promise<string> {
    const id = await this.#idOf(ref);
    if (id === undefined) throw notFound(ref, false);
    return id;
  }

  async #previousOf({ podUid, container, attempt }: RunRef): Promise<string | undefined> {
    const earlier = (await this.#attemptsOf(podUid, container)).filter((other) => other.attempt < attempt);
    return earlier.toSorted((a, b) => b.attempt - a.attempt)[0]?.id;
  }

  async #attemptsOf(podUid: string, container: string): Promise<{ readonly id: string; readonly attempt: number }[]> {
    const found = await this.#summaries(`${LABEL.podUid}=${podUid}`, `${LABEL.container}=${container}`);
    return found.map(({ Id, Labels }) => ({ id: Id, attempt: Number(Labels?.[LABEL.attempt]) }));
  }

  async #summaries(...labels: readonly string[]): Promise<ContainerSummary[]> {
    const label = [`${LABEL.instance}=${this.#options.instance}`, LABEL.role, ...labels];
    const query = { all: true, filters: JSON.stringify({ label }) };
    return await withReason("ListError", () => this.#engine.call({ method: "GET", path: "/containers/json", query }));
  }

  /** An engine that says why it does not make the network is one that answers; one that does not answer fails here as elsewhere. */
  async #networkTrouble(): Promise<string | undefined> {
    // What needs no address of a pod's may run before there are any.
    if (subnetOf(this.#network) === undefined) return undefined;
    try {
      await this.#ensureNetwork();
      return undefined;
    } catch (error) {
      if (error instanceof DriverError && error.reason === NETWORK_NOT_READY) return error.message;
      throw error;
    }
  }

  async #ensureNetwork(): Promise<void> {
    const subnet = subnetOf(this.#network);
    if (subnet !== undefined && subnet === this.#madeSure) return;
    await this.#networkFlight.run("", () => ensurePodNetwork(this.#engine, this.#network));
    this.#madeSure = subnet;
  }

  async #engineFacts(): Promise<EngineFacts> {
    this.#facts ??= await this.#factsFlight.run("", async () => {
      const info = await withReason("EngineInfoError", () =>
        this.#engine.call<EngineInfo & { ServerVersion: string }>({ method: "GET", path: "/info" }),
      );
      assert(typeof info.ServerVersion === "string", "the engine says its version");
      const driver = info.CgroupDriver === "systemd" ? "systemd" : "cgroupfs";
      const isLocal = this.#engine.address.socketPath !== undefined;
      return {
        architecture: ARCHITECTURE[info.Architecture] ?? info.Architecture,
        version: info.ServerVersion,
        oomScoreFloor: await oomScoreFloor(this.#engine),
        cgroups: new PodCgroups(this.#options.cgroupRoot ?? "styrmann", driver, isLocal),
      };
    });
    return this.#facts;
  }

  /** The engine was away: another one, with other images and networks, may have come back. */
  #forgetEngine(): void {
    this.#facts = undefined;
    this.#madeSure = undefined;
    this.#images.forgetAll();
    this.#infra.forgetAll();
    this.#seen.clear();
  }
}

/** /info has the kernel's words, images have Go's. */
const ARCHITECTURE: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

function unguarded(why: string): DriverError {
  return new DriverError(why, { temporary: false, reason: "CannotGuard" });
}

function notFound({ container, podUid }: RunRef, previous: boolean): DriverError {
  return new DriverError(
    previous
      ? `previous terminated container "${container}" in pod ${podUid} not found`
      : `container "${container}" of pod ${podUid} is not on this engine`,
    { temporary: false, reason: "NotFound" },
  );
}

function undefinedWhenGone(error: unknown): undefined {
  if (error instanceof DriverError && isRefusal(error.cause, 404)) return undefined;
  throw error;
}
