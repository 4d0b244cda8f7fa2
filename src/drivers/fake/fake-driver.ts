/**
 * A driver that runs nothing: in memory, on the clock it is given, doing what the image's name says (scripted.ts). For tests, simulation and
 * benchmarks of everything above drivers. It keeps every promise of driver.ts; test/contract/driver holds it to them.
 */
import type { DriverReport } from "../../model/node.ts";
import type { DriverName } from "../../model/pod.ts";
import type { ByteStream, ExecRequest, ExecSession, LogChunk, LogOptions, Usage } from "../../model/streams.ts";
import {
  type ContainerRun,
  type Driver,
  DriverError,
  type ObservedRun,
  type Progress,
  type RunRef,
} from "../driver.ts";
import { EchoStream } from "./echo-stream.ts";
import { FakeExec } from "./fake-exec.ts";
import { type FakeMachine, type FakeRun, keyOf } from "./fake-machine.ts";
import { scriptOf } from "./scripted.ts";

export interface FakeDriverOptions {
  /** Shared by driver objects that look at the same host. */
  readonly machine: FakeMachine;
  /** How the driver calls itself: a fake can stand in for any. Default `fake`. */
  readonly name?: DriverName;
  /** How long a start takes. Default 0. */
  readonly startMs?: number;
}

const TALK = [
  ["first", "stdout"],
  ["wrong", "stderr"],
  ["second", "stdout"],
  ["third", "stdout"],
] as const;

export class FakeDriver implements Driver {
  readonly name: DriverName;
  readonly machine: FakeMachine;
  readonly #startMs: number;
  readonly #starting = new Map<string, Promise<ObservedRun>>();

  constructor({ machine, name = "fake", startMs = 0 }: FakeDriverOptions) {
    this.machine = machine;
    this.name = name;
    this.#startMs = startMs;
  }

  async describe(): Promise<DriverReport> {
    const { down } = this.machine;
    return down === undefined ? { ready: true, version: "fake" } : { ready: false, reason: down };
  }

  async list(): Promise<readonly ObservedRun[]> {
    this.#assertUp();
    return [...this.machine.runs.values()].map(({ observed }) => observed);
  }

  async prepare(
    run: ContainerRun,
    { progress, signal }: { readonly progress?: Progress; readonly signal?: AbortSignal },
  ): Promise<void> {
    this.#assertUp();
    const image = run.spec.image ?? "";
    if (this.machine.images.has(image)) return;
    const script = scriptOf(image);
    progress?.(`Pulling ${image}`);
    if (script.pullMs > 0) await this.machine.clock.sleep(script.pullMs, signal);
    if (script.pull === "missing")
      throw new DriverError(`manifest for ${image} not found: manifest unknown`, {
        temporary: true,
        reason: "ErrImagePull",
      });
    this.machine.images.add(image);
  }

  async start(run: ContainerRun): Promise<ObservedRun> {
    this.#assertUp();
    const key = keyOf(run.ref);
    const there = this.machine.runs.get(key);
    if (there) return there.observed;
    const starting = this.#starting.get(key) ?? this.#start(run).finally(() => this.#starting.delete(key));
    this.#starting.set(key, starting);
    return await starting;
  }

  async #start(run: ContainerRun): Promise<ObservedRun> {
    this.machine.pods.add(run.ref.podUid);
    const script = scriptOf(run.spec.image);
    if (this.#startMs > 0) await this.machine.clock.sleep(this.#startMs);
    this.#assertUp();
    if (script.start === "broken")
      throw new DriverError('exec: "/broken": no such file or directory', {
        temporary: false,
        reason: "RunContainerError",
      });
    const entry: FakeRun = { run, output: [], observed: this.#running(run) };
    this.machine.runs.set(keyOf(run.ref), entry);
    if (this.machine.isBarred(run.ref))
      return this.machine.change(entry, {
        ...entry.observed,
        ...{ state: "exited", exitCode: 137, finishedAtMs: this.machine.clock.now() },
      });
    if (script.isTalker) for (const [word, stream] of TALK) this.machine.print(run.ref, `${word}\n`, stream);
    const { ends } = script;
    if (ends)
      entry.timer = this.machine.clock.setTimer(ends.afterMs, () =>
        this.machine.end(run.ref, ends.exitCode, ends.outOfMemory),
      );
    return this.machine.change(entry, entry.observed);
  }

  #running({ ref, spec, pod }: ContainerRun): ObservedRun {
    return {
      ...{ ref, driver: this.name, id: `${this.name}://${keyOf(ref)}`, state: "running" },
      startedAtMs: this.machine.clock.now(),
      ...(spec.image === undefined ? {} : { image: spec.image, imageId: `sha256:${spec.image}` }),
      ...(pod.address === undefined ? {} : { address: pod.address }),
    };
  }

  async stop(ref: RunRef, { graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#assertUp();
    const entry = this.machine.runs.get(keyOf(ref));
    if (entry?.observed.state !== "running") return;
    const { isStubborn } = scriptOf(entry.run.spec.image);
    if (isStubborn) await this.machine.clock.sleep(graceMs);
    this.machine.end(ref, isStubborn ? 137 : 143);
  }

  async remove(ref: RunRef): Promise<void> {
    this.#assertUp();
    this.machine.end(ref, 137);
    this.machine.runs.delete(keyOf(ref));
  }

  async release(podUid: string): Promise<void> {
    this.#assertUp();
    for (const { ref } of await this.list()) if (ref.podUid === podUid) await this.remove(ref);
    this.machine.pods.delete(podUid);
  }

  async pods(): Promise<readonly string[]> {
    this.#assertUp();
    return [...this.machine.pods].sort();
  }

  /** As a keeper beside the engine does: also while the engine is down. */
  async guard(refs: readonly RunRef[], forMs: number): Promise<void> {
    this.machine.guard(this.name, refs, forMs);
  }

  watch(listener: (change: ObservedRun | "lost") => void, signal: AbortSignal): void {
    this.machine.subscribe(listener, signal);
  }

  /** Following ends with the run; it looks every 50 ms of the clock. */
  async *logs(ref: RunRef, options: LogOptions): AsyncGenerator<LogChunk> {
    this.#assertUp();
    const entry = options.previous ? this.#previousOf(ref) : this.#mustFind(ref);
    const since = options.sinceMs ?? 0;
    const chunks = entry.output.filter(({ timeMs = 0 }) => timeMs >= since);
    yield* options.tailLines === undefined ? chunks : chunks.slice(Math.max(0, chunks.length - options.tailLines));
    let said = entry.output.length;
    while (options.follow && !options.signal?.aborted) {
      yield* entry.output.slice(said);
      said = entry.output.length;
      if (entry.observed.state !== "running") return;
      // Rejects only by the abort, which the loop's condition sees.
      await this.machine.clock.sleep(50, options.signal).catch(() => undefined);
    }
  }

  async exec(ref: RunRef, request: ExecRequest): Promise<ExecSession> {
    this.#assertUp();
    this.#mustFind(ref);
    return new FakeExec(request.command);
  }

  /** Gives back what it is sent. */
  async connect(ref: RunRef, port: number): Promise<ByteStream> {
    this.#assertUp();
    this.#mustFind(ref);
    if (port < 1024)
      throw new DriverError(`nothing listens on port ${port}`, { temporary: false, reason: "ConnectError" });
    return new EchoStream();
  }

  async probe(
    ref: RunRef,
    command: readonly string[],
  ): Promise<{ readonly exitCode: number; readonly output: string }> {
    const session = new FakeExec(command);
    this.#assertUp();
    this.#mustFind(ref);
    return { exitCode: await session.exitCode, output: session.text };
  }

  async usage(ref: RunRef): Promise<Usage | undefined> {
    this.#assertUp();
    return this.machine.runs.get(keyOf(ref))?.observed.state === "running"
      ? { cpuMillis: 10, memoryBytes: 2 ** 20 }
      : undefined;
  }

  #mustFind(ref: RunRef): FakeRun {
    const entry = this.machine.runs.get(keyOf(ref));
    if (!entry)
      throw new DriverError(`container "${ref.container}" is not here`, { temporary: false, reason: "NotFound" });
    return entry;
  }

  #previousOf({ podUid, container, attempt }: RunRef): FakeRun {
    const earlier = [...this.machine.runs.values()]
      .filter(({ run }) => run.ref.podUid === podUid && run.ref.container === container && run.ref.attempt < attempt)
      .toSorted((a, b) => b.run.ref.attempt - a.run.ref.attempt)[0];
    const words = `previous terminated container "${container}" in pod ${podUid} not found`;
    if (!earlier) throw new DriverError(words, { temporary: false, reason: "NotFound" });
    return earlier;
  }

  #assertUp(): void {
    const { down } = this.machine;
    if (down !== undefined) throw new DriverError(down, { temporary: true, reason: "EngineUnavailable" });
  }
}
