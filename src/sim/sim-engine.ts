/** What carries out a driver's calls on a simulated host: outlives the agents that call it, not the host's power. */
import { type ContainerRun, type Driver, DriverError, type ObservedRun, type RunRef } from "../drivers/driver.ts";
import { FakeDriver } from "../drivers/fake/fake-driver.ts";
import type { DriverReport } from "../model/node.ts";
import type { DriverName } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Gate } from "./gate.ts";
import type { SimMachine } from "./sim-machine.ts";
import type { Life } from "./sim-time.ts";

export interface EngineOptions {
  readonly name: DriverName;
  readonly machine: SimMachine;
  readonly clock: Clock;
  /** Closed while the engine hangs, and while the disk does. */
  readonly gates: readonly Gate[];
  readonly startMs: number;
  /** How long a pull takes beyond what the image says; throws when it fails. */
  readonly pull: (image: string) => Promise<void>;
  readonly called: (what: "start" | "stop" | "remove", ref: RunRef) => void;
}

type Listener = (change: ObservedRun | "lost") => void;

export class SimEngine {
  readonly #options: EngineOptions;
  readonly #fake: FakeDriver;
  readonly #listeners = new Map<Listener, Life>();
  /** Pods that something of this engine exists for. */
  readonly #pods: Set<string>;
  #down: string | undefined;

  constructor(options: EngineOptions, pods: Iterable<string> = []) {
    const { machine, name, startMs } = options;
    this.#options = options;
    this.#fake = new FakeDriver({ machine, name, startMs });
    this.#pods = new Set(pods);
  }

  get name(): DriverName {
    return this.#options.name;
  }

  get pods(): ReadonlySet<string> {
    return this.#pods;
  }

  /** Every call fails with these words; `undefined` ends it, and watchers have lost something. */
  setDown(words: string | undefined): void {
    this.#down = words;
    if (words === undefined) this.#tell("lost");
  }

  /** Something on the machine has changed. */
  changed(run: ObservedRun): void {
    if (run.driver === this.name && this.#down === undefined) this.#tell(run);
  }

  /** For one agent; after its end nothing of it is heard here any more. */
  driverFor(life: Life): Driver {
    const { called } = this.#options;
    const call = <T>(work: () => Promise<T>) => this.#call(life, work);
    const fake = this.#fake;
    return {
      name: this.name,
      describe: () => this.#describe(life),
      list: () => call(() => this.#list()),
      prepare: (run, options) => call(() => this.#prepare(run, options)),
      start: (run) =>
        call(() => {
          called("start", run.ref);
          this.#pods.add(run.ref.podUid);
          return fake.start(scripted(run));
        }),
      stop: (ref, options) =>
        call(() => {
          called("stop", ref);
          return fake.stop(ref, options);
        }),
      remove: (ref) =>
        call(() => {
          called("remove", ref);
          return fake.remove(ref);
        }),
      release: (uid) => call(() => this.#release(uid)),
      // The keeper's, not the engine's: also while that hangs.
      guard: async (refs, forMs) => (life.isOver ? never() : await fake.guard(refs, forMs)),
      pods: () => call(async () => [...this.#pods].toSorted()),
      watch: (listener, signal) => this.#watch(listener, signal, life),
      logs: (ref, options) => fake.logs(ref, options),
      exec: (ref, request) => call(() => fake.exec(ref, request)),
      probe: (ref, command, timeoutMs) => {
        const answer = call(() => fake.probe(ref, command));
        return this.#isStill ? this.#inTime(answer, timeoutMs) : answer;
      },
      usage: (ref) => call(() => fake.usage(ref)),
    };
  }

  /** A call of an agent that died before it got through is dropped: its connection is gone. */
  async #call<T>(life: Life, work: () => Promise<T>): Promise<T> {
    for (const gate of this.#options.gates) if (gate.isClosed) await gate.pass();
    if (life.isOver) return never();
    if (this.#down !== undefined) throw new DriverError(this.#down, { temporary: true, reason: "EngineUnavailable" });
    try {
      const result = await work();
      return life.isOver ? never() : result;
    } catch (error) {
      if (life.isOver) return never();
      throw error;
    }
  }

  get #isStill(): boolean {
    return this.#options.gates.some((gate) => gate.isClosed);
  }

  /** Who asks an engine that stands still gives up some time. */
  async #inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
    const givenUp = this.#options.clock.sleep(ms).then(() => {
      throw new DriverError("the engine stands still", { temporary: true, reason: "EngineUnavailable" });
    });
    return await Promise.race([answer, givenUp]);
  }

  async #describe(life: Life): Promise<DriverReport> {
    for (const gate of this.#options.gates) if (gate.isClosed) await gate.pass();
    if (life.isOver) return never();
    return this.#down === undefined ? { ready: true, version: "simulated" } : { ready: false, reason: this.#down };
  }

  async #list(): Promise<readonly ObservedRun[]> {
    return (await this.#fake.list()).filter(({ driver }) => driver === this.name);
  }

  async #prepare(run: ContainerRun, options: Parameters<Driver["prepare"]>[1]): Promise<void> {
    const { machine, pull } = this.#options;
    const image = run.spec.image ?? "";
    if (this.name === "docker" && !machine.images.has(image)) await pull(image);
    await this.#fake.prepare(run, options);
  }

  async #release(uid: string): Promise<void> {
    for (const { ref } of await this.#list()) {
      if (ref.podUid !== uid) continue;
      this.#options.called("remove", ref);
      await this.#fake.remove(ref);
    }
    this.#pods.delete(uid);
    this.#options.machine.pods.delete(uid);
  }

  #watch(listener: Listener, signal: AbortSignal, life: Life): void {
    if (signal.aborted) return;
    this.#listeners.set(listener, life);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
    this.#options.clock.setTimer(0, () => {
      if (this.#listeners.has(listener) && !life.isOver && this.#down === undefined) listener("lost");
    });
  }

  #tell(change: ObservedRun | "lost"): void {
    for (const [listener, life] of this.#listeners) {
      if (life.isOver) this.#listeners.delete(listener);
      else if (this.#isStill) void this.#tellLater(listener, life, change);
      else listener(change);
    }
  }

  /** An engine that hangs says nothing; what it had to say comes afterwards. */
  async #tellLater(listener: Listener, life: Life, change: ObservedRun | "lost"): Promise<void> {
    for (const gate of this.#options.gates) await gate.pass();
    if (!life.isOver && this.#listeners.has(listener)) listener(change);
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

/** A process or a unit has no image: what it does is told by the first word of its command lines that names a fake one. */
function scripted(run: ContainerRun): ContainerRun {
  const { image, command, args, unit } = run.spec;
  if (image !== undefined) return run;
  const lines = [...(command ?? []), ...(args ?? []), ...(unit?.options ?? []).map(({ value }) => value)];
  const found = /\bfake\/[a-z0-9-]+(?::[a-z0-9-]+)?/.exec(lines.join(" "))?.[0];
  return found === undefined ? run : { ...run, spec: { ...run.spec, image: found } };
}
