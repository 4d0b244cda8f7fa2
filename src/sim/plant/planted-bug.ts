/** One change of one place of the program, made while it is loaded. */
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
  /** The first seed. Default 1. */
  readonly from?: number;
  /** How many seeds at most. */
  readonly seeds: number;
}
