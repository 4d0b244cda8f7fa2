import type { PlantedBug } from "./planted-bug.ts";

/** In what decides which nodes live. */
export const lifecycleBugs: readonly PlantedBug[] = [];
