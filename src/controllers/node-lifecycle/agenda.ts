import { Heap } from "../../lib/heap.ts";

interface Appointment {
  readonly atMs: number;
  readonly name: string;
}

/** What is to be looked at when, by name; a name may have several moments. */
export class Agenda {
  readonly #heap = new Heap<Appointment>((a, b) => (a.atMs === b.atMs ? a.name < b.name : a.atMs < b.atMs));
  /** The appointment that was made last. */
  readonly #last = new Map<string, number>();

  get nextMs(): number | undefined {
    return this.#heap.peek()?.atMs;
  }

  /** The same moment is often asked for again: a node that is lost is gone at one time, however often it is looked at. */
  add(name: string, atMs: number): void {
    if (this.#last.get(name) === atMs) return;
    this.#last.set(name, atMs);
    this.#heap.push({ atMs, name });
  }

  /** Whose time has come, in its order. */
  take(nowMs: number): readonly string[] {
    const names: string[] = [];
    for (let next = this.#heap.peek(); next !== undefined && next.atMs <= nowMs; next = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#last.get(next.name) === next.atMs) this.#last.delete(next.name);
      names.push(next.name);
    }
    return names;
  }
}
