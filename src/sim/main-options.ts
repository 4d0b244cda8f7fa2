import { HELP, type OptionRow, readOptions, usageLines, whole } from "./read-options.ts";

export interface SimOptions {
  readonly seed: number;
  readonly scenario: string;
  /** Every change and call as a line. */
  readonly timeline: boolean;
  readonly plant: string | undefined;
  /** Of the cell. */
  readonly nodes: number;
  readonly pods: number;
  /** Of the cell: in place of the cluster's default. */
  readonly movesPerSecond: number | undefined;
}

export const CELL = "cell";

const ROWS: readonly OptionRow[] = [
  { name: "--seed", value: "N", about: "what everything is drawn from; default 1" },
  { name: "--scenario", value: "NAME", about: "one of --list; default swarm, which draws everything" },
  { name: "--timeline", about: "every change and call as a line" },
  { name: "--plant", value: "BUG", about: "one of --list: a mistake that is put into the program while it is loaded" },
  { name: "--nodes", value: "N", about: `of --scenario ${CELL} only; default 1000` },
  { name: "--pods", value: "N", about: `of --scenario ${CELL} only; default 50000` },
  { name: "--moves-per-second", value: "N", about: `of --scenario ${CELL} only; default: the cluster's` },
  { name: "--list", about: "all scenarios, and all bugs that can be planted" },
  HELP,
];

export const SIM_HELP = usageLines(
  "npm run sim",
  "One simulated cluster. Ends with 1 when a rule was broken, with 2 when it cannot be run as asked for, and with 3 when nobody noticed the planted bug.",
  ROWS,
);

/** Throws with one sentence when it cannot be read. */
export function parseSimOptions(args: readonly string[]): SimOptions | "list" | "help" {
  const given = readOptions(args, ROWS);
  if (given.has("--help")) return "help";
  if (given.has("--list")) return "list";
  const scenario = given.get("--scenario") ?? "swarm";
  refuseElsewhere(scenario, given);
  const pace = given.get("--moves-per-second");
  return {
    seed: whole("--seed", given.get("--seed") ?? "1"),
    scenario,
    timeline: given.has("--timeline"),
    plant: given.get("--plant"),
    nodes: whole("--nodes", given.get("--nodes") ?? "1000", 1),
    pods: whole("--pods", given.get("--pods") ?? "50000", 1),
    movesPerSecond: pace === undefined ? undefined : whole("--moves-per-second", pace, 1),
  };
}

/** What would change nothing is not taken in silence. */
function refuseElsewhere(scenario: string, given: ReadonlyMap<string, string>): void {
  const isCell = scenario === CELL;
  const others = isCell ? ["--timeline", "--plant"] : ["--nodes", "--pods", "--moves-per-second"];
  const wrong = others.find((name) => given.has(name));
  if (wrong === undefined) return;
  if (isCell) throw new Error(`the ${CELL} has no ${wrong}; all other scenarios have`);
  throw new Error(`${wrong} is for --scenario ${CELL} only; all else draws its cluster from --seed`);
}
