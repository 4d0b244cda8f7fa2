/** Mistakes that somebody could make, each in one place: the simulator has to notice every one of them. */
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  /** Must be in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What is wrong then. */
  readonly sentence: string;
  /** Rules of checkers, or names of scenarios, one of which has to fail. */
  readonly foundBy: readonly string[];
  /** Where it is looked for. Default: the swarm. */
  readonly scenario?: string;
  readonly from?: number;
  /** How many seeds at most. */
  readonly seeds: number;
}

export function plantedBug(name: string): PlantedBug {
  const found = plantedBugs.find((bug) => bug.name === name);
  if (found) return found;
  throw new Error(`there is no planted bug "${name}"; there are ${plantedBugs.map((bug) => bug.name).join(", ")}`);
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "bind-without-fit",
    file: "src/scheduling/node-index.ts",
    find: "PLACEHOLDER",
    replace: "",
    sentence: "the scheduler binds without looking at what is left of a node",
    foundBy: ["no-oversold"],
    seeds: 20,
  },
];
