/** What runs on a fake host: outlives the driver objects that look at it, as a container engine outlives styr. */
import type { LogChunk } from "../../model/streams.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { ContainerRun, ObservedRun, RunRef } from "../driver.ts";

export interface FakeRun {
  readonly run: ContainerRun;
  observed: ObservedRun;
  readonly output: LogChunk[];
  timer?: Timer;
}

type Listener = (change: ObservedRun | "lost") => void;

export class FakeMachine {
  readonly clock: Clock;
  readonly runs = new Map<string, FakeRun>();
  readonly pods = new Set<string>();
  readonly images = new Set<string>();
  /** Called with every run that a guard has killed. */
  onGuardKill: (ref: RunRef) => void = () => {};
  readonly #listeners = new Set<Listener>();
  readonly #guards = new Map<string, { readonly keys: ReadonlySet<string>; readonly timer: Timer; isOver: boolean }>();
  #down: string | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Why it answers nothing now; undefined when it does. */
  get down(): string | undefined {
    return this.#down;
  }

  /** From now on every call fails with these words, and changes go unseen; `undefined` ends it, and watchers have lost something. */
  setDown(reason: string | undefined): void {
    this.#down = reason;
    if (reason === undefined) for (const listener of this.#listeners) listener("lost");
  }

  subscribe(listener: Listener, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
    // As an engine's event stream does: what was before is not in it.
    this.clock.setTimer(0, () => {
      if (this.#listeners.has(listener) && this.#down === undefined) listener("lost");
    });
  }

  /** Ends a run, as its program or the kernel would. Nothing when it does not run. */
  end(ref: RunRef, exitCode: number, outOfMemory = false): void {
    const entry = this.runs.get(keyOf(ref));
    if (entry?.observed.state !== "running") return;
    entry.timer?.cancel();
    this.change(entry, { ...entry.observed, state: "exited", exitCode, outOfMemory, finishedAtMs: this.clock.now() });
  }

  /** What `owner` (a driver) asks to be killed unless it asks again within `forMs`. Goes on when the driver object is dead, or the engine down. */
  guard(owner: string, refs: readonly RunRef[], forMs: number): void {
    this.#guards.get(owner)?.timer.cancel();
    this.#guards.delete(owner);
    if (refs.length === 0) return;
    const timer = this.clock.setTimer(forMs, () => {
      guard.isOver = true;
      for (const ref of refs) this.#guardKill(ref);
    });
    const guard = { keys: new Set(refs.map(keyOf)), timer, isOver: false };
    this.#guards.set(owner, guard);
  }

  /** Whether a guard has run out over it: what is started all the same is killed at once. */
  isBarred(ref: RunRef): boolean {
    return [...this.#guards.values()].some(({ isOver, keys }) => isOver && keys.has(keyOf(ref)));
  }

  /** The host lost its power: what watched is gone, too. */
  endGuards(): void {
    for (const { timer } of this.#guards.values()) timer.cancel();
    this.#guards.clear();
  }

  #guardKill(ref: RunRef): void {
    if (this.runs.get(keyOf(ref))?.observed.state !== "running") return;
    this.end(ref, 137);
    this.onGuardKill(ref);
  }

  /** Adds to a run's output. */
  print(ref: RunRef, text: string, stream: LogChunk["stream"] = "stdout"): void {
    this.runs.get(keyOf(ref))?.output.push({ stream, data: Buffer.from(text), timeMs: this.clock.now() });
  }

  /** Takes a run away without the driver, as `docker rm -f` by someone would. */
  vanish(ref: RunRef): void {
    this.runs.get(keyOf(ref))?.timer?.cancel();
    if (this.runs.delete(keyOf(ref)) && this.#down === undefined)
      for (const listener of this.#listeners) listener("lost");
  }

  change(entry: FakeRun, observed: ObservedRun): ObservedRun {
    entry.observed = observed;
    if (this.#down === undefined) for (const listener of this.#listeners) listener(observed);
    return observed;
  }
}

export function keyOf({ podUid, container, attempt }: RunRef): string {
  return `${podUid}/${container}/${attempt}`;
}
