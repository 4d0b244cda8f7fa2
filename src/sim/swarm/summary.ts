import { replayCommand, type SeedResult } from "./seed-result.ts";

/** Sums over many seeds, and the table at the end. */
export class Summary {
  readonly failures: SeedResult[] = [];
  seeds = 0;
  virtualMs = 0;
  cpuMs = 0;
  commits = 0;
  changes = 0;
  driverCalls = 0;
  readonly faults = new Map<string, number>();
  readonly judgements = new Map<string, number>();

  add(result: SeedResult, cpuMs: number): void {
    this.seeds++;
    this.virtualMs += result.virtualMs;
    this.cpuMs += cpuMs;
    this.commits += result.commits;
    this.changes += result.changes;
    this.driverCalls += result.driverCalls;
    for (const [kind, count] of Object.entries(result.faults)) bump(this.faults, kind, count);
    for (const [rule, count] of Object.entries(result.judgements)) bump(this.judgements, rule, count);
    if (result.failure) this.failures.push(result);
  }

  /** Rules that nothing was judged by. */
  get idle(): readonly string[] {
    return [...this.judgements].filter(([, count]) => count === 0).map(([rule]) => rule);
  }

  get virtualHours(): number {
    return this.virtualMs / 3_600_000;
  }

  lines(): readonly string[] {
    return [
      `seeds            ${this.seeds}, ${this.failures.length} failed`,
      `virtual hours    ${this.virtualHours.toFixed(1)}`,
      `processor time   ${(this.cpuMs / 1000).toFixed(1)} s (${(this.cpuMs / 1000 / Math.max(1, this.seeds)).toFixed(2)} s a seed)`,
      `commits          ${this.commits} (${this.changes} changes)`,
      `driver calls     ${this.driverCalls}`,
      "",
      `faults           ${[...this.faults.values()].reduce((sum, count) => sum + count, 0)}`,
      ...table(this.faults),
      "",
      "judgements",
      ...table(this.judgements),
    ];
  }
}

/** Everything that somebody needs who has never seen this failure. */
export function failureLines(result: SeedResult, commit: string, plant?: string): readonly string[] {
  const { seed, scenario, failure, virtualMs } = result;
  return [
    `FAILED seed ${seed} (${scenario}) at ${(virtualMs / 1000).toFixed(3)} s, commit ${commit}`,
    `  rule    ${failure?.rule}`,
    `  broken  ${failure?.message}`,
    `  replay  ${replayCommand(result, plant)}`,
  ];
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function table(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([name, count]) => `  ${String(count).padStart(10)}  ${name}`);
}
