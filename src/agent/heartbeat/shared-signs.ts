import type { Signs } from "./health.ts";

const NAMES = ["tickAtMs", "diskAskedAtMs", "engineAtMs", "keeperAtMs", "diskShortAtMs"] as const;

/** Signs in memory that two threads share, so that one is read although the other stands still. Times in whole milliseconds of the shared time; 0 = absent. */
export class SharedSigns {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(NAMES.length * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new BigInt64Array(buffer);
  }

  /** `offsetMs` leads from the times in `signs` to the shared time. */
  write(signs: Signs, offsetMs: number): void {
    for (const [at, name] of NAMES.entries()) {
      const value = signs[name];
      Atomics.store(this.#cells, at, value === undefined ? 0n : BigInt(Math.max(1, Math.round(value + offsetMs))));
    }
  }

  read(offsetMs: number): Signs {
    const cells = NAMES.map((name, at) => [name, Number(Atomics.load(this.#cells, at))] as const);
    const present = cells.filter(([, value]) => value !== 0).map(([name, value]) => [name, value - offsetMs]);
    return Object.fromEntries(present) as Signs;
  }
}
