/** Mistakes that somebody could make, each in one place: the simulator has to notice every one of them. */
import { agentBugs } from "./agent-bugs.ts";
import { exclusiveBugs } from "./exclusive-bugs.ts";
import { forgetfulBugs } from "./forgetful-bugs.ts";
import { holdBugs } from "./hold-bugs.ts";
import { lifecycleBugs } from "./lifecycle-bugs.ts";
import { networkBugs } from "./network-bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { ruleBugs } from "./rule-bugs.ts";
import { serverBugs } from "./server-bugs.ts";

export function plantedBug(name: string): PlantedBug {
  const found = plantedBugs.find((bug) => bug.name === name);
  if (found) return found;
  throw new Error(`there is no planted bug "${name}"; see them with: npm run sim -- --list`);
}

export const plantedBugs: readonly PlantedBug[] = [
  ...serverBugs,
  ...agentBugs,
  ...lifecycleBugs,
  ...forgetfulBugs,
  ...exclusiveBugs,
  ...holdBugs,
  ...networkBugs,
  ...ruleBugs,
];
