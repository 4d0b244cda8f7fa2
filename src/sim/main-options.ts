import { parseArgs } from "node:util";

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

export const SIM_USAGE = [
  "npm run sim -- [--seed N] [--scenario NAME] [--timeline] [--plant BUG]",
  "npm run sim -- --scenario cell [--nodes 1000] [--pods 50000] [--moves-per-second 50]",
  "npm run sim -- --list",
].join("\n");

/** Throws with one sentence when it cannot be read. */
export function parseSimOptions(args: readonly string[]): SimOptions | "list" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      scenario: { type: "string", default: "swarm" },
      timeline: { type: "boolean", default: false },
      plant: { type: "string" },
      nodes: { type: "string", default: "1000" },
      pods: { type: "string", default: "50000" },
      "moves-per-second": { type: "string" },
      list: { type: "boolean", default: false },
    },
  });
  if (values.list) return "list";
  const { scenario, timeline, plant } = values;
  const [seed, nodes, pods] = [
    whole("--seed", values.seed),
    whole("--nodes", values.nodes),
    whole("--pods", values.pods),
  ];
  const pace = values["moves-per-second"];
  const movesPerSecond = pace === undefined ? undefined : whole("--moves-per-second", pace);
  return { seed, scenario, timeline, plant, nodes, pods, movesPerSecond };
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${name} takes a whole number, not "${text}"`);
  return Number(text);
}
