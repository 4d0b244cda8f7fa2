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
  readonly #listeners = new Set<Listener>();
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
