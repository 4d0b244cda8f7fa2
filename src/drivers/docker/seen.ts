/** Details of runs that the engine told already, so that a list needs no inspect for each. The list itself always comes from the engine. */
import type { ObservedRun, RunRef } from "../driver.ts";
import { refKey } from "./labels.ts";

export class SeenRuns {
  readonly #byId = new Map<string, ObservedRun>();
  readonly #idByRef = new Map<string, string>();
  /** Containers that are being removed by us: their destroy event is no news. */
  readonly #removed = new Set<string>();

  get(id: string): ObservedRun | undefined {
    return this.#byId.get(id);
  }

  idOf(ref: RunRef): string | undefined {
    return this.#idByRef.get(refKey(ref));
  }

  note(id: string, run: ObservedRun): ObservedRun {
    this.#byId.set(id, run);
    this.#idByRef.set(refKey(run.ref), id);
    return run;
  }

  forget(id: string): void {
    const run = this.#byId.get(id);
    this.#byId.delete(id);
    if (run && this.#idByRef.get(refKey(run.ref)) === id) this.#idByRef.delete(refKey(run.ref));
  }

  markRemoved(id: string): void {
    this.#removed.add(id);
  }

  /** Whether its removal was ours. */
  isRemoved(id: string): boolean {
    return this.#removed.has(id);
  }

  forgetRemoved(id: string): boolean {
    return this.#removed.delete(id);
  }

  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of [...this.#byId.keys()]) if (!ids.has(id)) this.forget(id);
  }

  clear(): void {
    this.#byId.clear();
    this.#idByRef.clear();
    this.#removed.clear();
  }
}
