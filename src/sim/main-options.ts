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
}

export const SIM_USAGE = [
  "npm run sim -- [--seed N] [--scenario NAME] [--timeline] [--plant BUG]",
  "npm run sim -- --scenario cell [--nodes 1000] [--pods 50000]",
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
  return { seed, scenario, timeline, plant, nodes, pods };
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${name} takes a whole number, not "${text}"`);
  return Number(text);
}
