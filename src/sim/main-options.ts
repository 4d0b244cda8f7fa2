import { parseArgs } from "node:util";

export interface SimOptions {
  readonly seed: number;
  readonly scenario: string;
  /** Every change and call as a line. */
  readonly timeline: boolean;
  readonly plant: string | undefined;
}

export const SIM_USAGE = "npm run sim -- --seed N [--scenario NAME] [--timeline] [--plant BUG]";

/** Throws with one sentence when it cannot be read. */
export function parseSimOptions(args: readonly string[]): SimOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      scenario: { type: "string", default: "swarm" },
      timeline: { type: "boolean", default: false },
      plant: { type: "string" },
    },
  });
  if (!/^\d+$/.test(values.seed)) throw new Error(`--seed takes a whole number, not "${values.seed}"`);
  const { scenario, timeline, plant } = values;
  return { seed: Number(values.seed), scenario, timeline, plant };
}
