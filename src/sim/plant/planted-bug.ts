/** One change of one place of the program, made while it is loaded. */
export interface Mistake {
  readonly file: string;
  /** Must be in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug extends Mistake {
  readonly name: string;
  /** The safeguard behind the first, in another file: either alone would hide that the other is gone. */
  readonly and?: Mistake;
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
