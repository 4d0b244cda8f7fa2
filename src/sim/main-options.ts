import { parseArgs } from "node:util";

export interface SimOptions {
  readonly seed: number;
  readonly scenario: string;
  /** Every change and call as a line. */
  readonly timeline: boolean;
  readonly plant: string | undefined;
  /** Of the scenario `cell` only: how large it is, and how fast pods are moved where not as fast as the product does. */
  readonly cell: { readonly nodes: number; readonly pods: number; readonly movesPerSecond?: number };
}

export const SIM_USAGE =
  "npm run sim -- --seed N [--scenario NAME] [--timeline] [--plant BUG]\n" +
  "npm run sim -- --scenario cell [--nodes 1000] [--pods 50000] [--moves-per-second 20]";

/** Throws with one sentence when it cannot be read. */
export function parseSimOptions(args: readonly string[]): SimOptions {
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
    },
  });
  const { scenario, timeline, plant } = values;
  const moves = values["moves-per-second"];
  const cell = {
    nodes: wholeNumber("nodes", values.nodes),
    pods: wholeNumber("pods", values.pods),
    ...(moves === undefined ? {} : { movesPerSecond: wholeNumber("moves-per-second", moves) }),
  };
  return { seed: wholeNumber("seed", values.seed), scenario, timeline, plant, cell };
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${option} takes a whole number, not "${text}"`);
  return Number(text);
}
