import { HELP, type OptionRow, readOptions, usageLines, whole } from "../read-options.ts";

export interface SwarmOptions {
  readonly from: number;
  /** How many; undefined: as many as the minutes allow. */
  readonly seeds: number | undefined;
  readonly minutes: number | undefined;
  readonly scenario: string;
  readonly plant: string | undefined;
  readonly workers: number;
}

const DEFAULT_SEEDS = 100;

const ROWS: readonly OptionRow[] = [
  {
    name: "--seeds",
    value: "N",
    about: `how many; default ${DEFAULT_SEEDS}, with --minutes as many as there is time for`,
  },
  { name: "--minutes", value: "M", about: "no seed begins later" },
  { name: "--from", value: "S", about: "the first seed; default 1" },
  { name: "--scenario", value: "NAME", about: "one of npm run sim -- --list; default swarm, which draws everything" },
  { name: "--plant", value: "BUG", about: "one of npm run sim -- --list: a mistake that is put into the program" },
  { name: "--workers", value: "N", about: "processes; default 2" },
  HELP,
];

export const SWARM_HELP = usageLines(
  "npm run sim:swarm",
  "Many simulated clusters. Ends with 1 when a rule was broken or one had nothing to judge, with 2 when it cannot be run as asked for, and with 3 when nobody noticed the planted bug.",
  ROWS,
);

/** Throws with one sentence when it cannot be read. */
export function parseSwarmOptions(args: readonly string[]): SwarmOptions | "help" {
  const given = readOptions(args, ROWS);
  if (given.has("--help")) return "help";
  const [minutes, seeds] = [given.get("--minutes"), given.get("--seeds")];
  return {
    from: whole("--from", given.get("--from") ?? "1", 1),
    seeds: seeds !== undefined ? whole("--seeds", seeds, 1) : minutes === undefined ? DEFAULT_SEEDS : undefined,
    minutes: minutes === undefined ? undefined : positive("--minutes", minutes),
    scenario: given.get("--scenario") ?? "swarm",
    plant: given.get("--plant"),
    workers: whole("--workers", given.get("--workers") ?? "2", 1),
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} takes a number above 0, not "${text}"`);
  return value;
}
