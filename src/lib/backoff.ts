/** Delays that grow: `initialMs`, × `factor` each time, never above `maxMs`. */
export interface BackoffRules {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** The delay after `failures` failures in a row (1 = the first). 0 failures wait nothing. */
export function backoffMs({ initialMs, factor, maxMs }: BackoffRules, failures: number): number {
  return failures <= 0 ? 0 : Math.min(maxMs, initialMs * factor ** (failures - 1));
}
