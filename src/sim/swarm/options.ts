import { parseArgs } from "node:util";

export interface SwarmOptions {
  readonly from: number;
  /** How many; undefined: as many as the minutes allow. */
  readonly seeds: number | undefined;
  readonly minutes: number | undefined;
  readonly scenario: string;
  readonly plant: string | undefined;
  readonly workers: number;
}

export const SWARM_USAGE =
  "npm run sim:swarm -- --seeds N|--minutes M [--from S] [--scenario NAME] [--plant BUG] [--workers 2]";

const DEFAULT_SEEDS = 100;

/** Throws with one sentence when it cannot be read. */
export function parseSwarmOptions(args: readonly string[]): SwarmOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string" },
      minutes: { type: "string" },
      from: { type: "string" },
      scenario: { type: "string" },
      plant: { type: "string" },
      workers: { type: "string" },
    },
  });
  const minutes = values.minutes === undefined ? undefined : positive("--minutes", values.minutes);
  const seeds = values.seeds === undefined ? undefined : whole("--seeds", values.seeds);
  return {
    from: values.from === undefined ? 1 : whole("--from", values.from),
    seeds: seeds ?? (minutes === undefined ? DEFAULT_SEEDS : undefined),
    minutes,
    scenario: values.scenario ?? "swarm",
    plant: values.plant,
    workers: values.workers === undefined ? 2 : whole("--workers", values.workers),
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} takes a number above 0, not "${text}"`);
  return value;
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text) || Number(text) === 0) throw new Error(`${name} takes a whole number above 0, not "${text}"`);
  return Number(text);
}
