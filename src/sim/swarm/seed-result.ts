/** What one seed came to. Plain data: it travels between processes. */
export interface SeedResult {
  readonly seed: number;
  readonly scenario: string;
  readonly traceHash: string;
  readonly virtualMs: number;
  /** Batches that the disk took. */
  readonly commits: number;
  /** What was in them: each has a revision of its own. */
  readonly changes: number;
  readonly driverCalls: number;
  /** By kind, without the numbers in it. */
  readonly faults: Readonly<Record<string, number>>;
  /** How often each checker judged, by rule. */
  readonly judgements: Readonly<Record<string, number>>;
  readonly failure?: SeedFailure;
  /** Of a failure only. */
  readonly timeline?: readonly string[];
}

export interface SeedFailure {
  /** The rule that was broken; `error` when the world itself broke. */
  readonly rule: string;
  readonly message: string;
}

/** The command that shows what happened. */
export function replayCommand({ seed, scenario }: SeedResult, plant?: string): string {
  const what = scenario === "swarm" ? "" : ` --scenario ${scenario}`;
  return `npm run sim -- --seed ${seed}${what} --timeline${plant === undefined ? "" : ` --plant ${plant}`}`;
}
