import { type Driver, DriverError, type ObservedRun } from "../drivers/driver.ts";
import { ApiError } from "../model/errors.ts";
import type { NetworkAnswer, NetworkQuestion } from "../model/network-questions.ts";
import type {
  ByteStream,
  ExecRequest,
  ExecSession,
  LogChunk,
  LogOptions,
  NodeAccess,
  Usage,
} from "../model/streams.ts";
import type { Clock } from "../seams/clock.ts";
import type { PodWorker } from "./pod-worker.ts";
import { allContainers } from "./seen.ts";

/** An average needs two readings; a first request takes them this far apart. */
const SAMPLE_MS = 250;

type Subject = { readonly uid: string; readonly container?: string };

/** Who knows this host's network. */
export type AnswerNetwork = (question: NetworkQuestion) => Promise<NetworkAnswer>;

/** Logs, commands and usage of this node's own pods. */
export class AgentAccess implements NodeAccess {
  readonly #workerOf: (uid: string) => PodWorker | undefined;
  readonly #clock: Clock;
  readonly #answer: AnswerNetwork | undefined;

  constructor(workerOf: (uid: string) => PodWorker | undefined, clock: Clock, answer?: AnswerNetwork) {
    this.#workerOf = workerOf;
    this.#clock = clock;
    this.#answer = answer;
  }

  async *logs(pod: Subject, options: LogOptions): AsyncIterable<LogChunk> {
    const { worker, container } = this.#find(pod);
    const run = worker.runFor(container, options.previous === true);
    if (!run) throw noRun(worker, container, options.previous === true);
    const driver = worker.driverFor(container);
    if (!driver.logs) throw new ApiError("BadRequest", `the ${driver.name} driver keeps no logs`);
    // The run is found here; a driver that is told "previous" would look one further back.
    const { previous, ...rest } = options;
    yield* driver.logs(run.ref, rest);
  }

  async exec(pod: Subject, request: ExecRequest): Promise<ExecSession> {
    const { worker, container } = this.#find(pod);
    const run = worker.runFor(container, false);
    if (run?.state !== "running") {
      throw new ApiError("BadRequest", `container ${container} in pod ${worker.pod.metadata.name} is not running`);
    }
    const driver = worker.driverFor(container);
    if (!driver.exec) throw new ApiError("BadRequest", `the ${driver.name} driver cannot run commands in what it runs`);
    return await driver.exec(run.ref, request);
  }

  /** Containers of one pod share its address: the first that runs will do. */
  async forward({ uid }: { readonly uid: string }, port: number): Promise<ByteStream> {
    const worker = this.#worker(uid);
    const { name } = worker.pod.metadata;
    for (const container of worker.pod.spec.containers) {
      const run = worker.runFor(container.name, false);
      const driver = worker.driverFor(container.name);
      if (run?.state === "running" && driver.connect) return await connected(driver.connect(run.ref, port), name);
    }
    throw new ApiError("Unavailable", `no container of pod ${name} is running that could be connected to`);
  }

  async usage(pod: { readonly uid: string }): Promise<Readonly<Record<string, Usage>>> {
    const worker = this.#worker(pod.uid);
    const readings = allContainers(worker.pod).map(async ({ name }): Promise<readonly [string, Usage][]> => {
      const run = worker.runFor(name, false);
      if (run?.state !== "running") return [];
      const usage = await this.#usageOf(worker.driverFor(name), run);
      return usage ? [[name, usage]] : [];
    });
    return Object.fromEntries((await Promise.all(readings)).flat());
  }

  async network(_nodeName: string, question: NetworkQuestion): Promise<NetworkAnswer> {
    if (this.#answer) return await this.#answer(question);
    throw new ApiError("Unavailable", "this node has no part in the network of the cluster");
  }

  async #usageOf(driver: Driver, { ref }: ObservedRun): Promise<Usage | undefined> {
    const first = await driver.usage?.(ref);
    if (first !== undefined && first.cpuMillis > 0) return first;
    await this.#clock.sleep(SAMPLE_MS);
    return (await driver.usage?.(ref)) ?? first;
  }

  #worker(uid: string): PodWorker {
    const worker = this.#workerOf(uid);
    if (!worker) throw new ApiError("NotFound", `no pod with uid ${uid} is on this node`);
    return worker;
  }

  #find({ uid, container }: Subject): { readonly worker: PodWorker; readonly container: string } {
    const worker = this.#worker(uid);
    const { name } = worker.pod.metadata;
    if (container !== undefined) {
      if (allContainers(worker.pod).some((each) => each.name === container)) return { worker, container };
      throw new ApiError("BadRequest", `container ${container} is not valid for pod ${name}`);
    }
    const names = worker.pod.spec.containers.map((each) => each.name);
    const [only, ...others] = names;
    if (only === undefined || others.length > 0) {
      const choose = `a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`;
      throw new ApiError("BadRequest", choose);
    }
    return { worker, container: only };
  }
}

async function connected(connecting: Promise<ByteStream>, pod: string): Promise<ByteStream> {
  try {
    return await connecting;
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    throw new ApiError("Unavailable", `pod ${pod}: ${error.message}`);
  }
}

function noRun(worker: PodWorker, container: string, previous: boolean): ApiError {
  const { name } = worker.pod.metadata;
  if (previous)
    return new ApiError("BadRequest", `previous terminated container "${container}" in pod "${name}" not found`);
  const statuses = [...(worker.status?.containerStatuses ?? []), ...(worker.status?.initContainerStatuses ?? [])];
  const waiting = statuses.find((status) => status.name === container)?.state.waiting;
  const why = waiting ? `${waiting.reason}${waiting.message ? ` (${waiting.message})` : ""}` : "ContainerCreating";
  return new ApiError("BadRequest", `container "${container}" in pod "${name}" is waiting to start: ${why}`);
}
