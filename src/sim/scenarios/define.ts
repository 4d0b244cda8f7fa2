import type { Random } from "../../seams/random.ts";
import type { Scenario, WorldSize } from "../contract.ts";
import { healAndSettle } from "./heal.ts";
import { Stage } from "./stage.ts";

/** Longer than the grace that the control plane gives everybody after its own start. */
const STARTED_MS = 40_000;

/** A scenario of our own: what happens, then the healing that all have in common. */
export function define(
  name: string,
  about: string,
  size: WorldSize | ((random: Random) => WorldSize),
  run: (stage: Stage) => Promise<void>,
): Scenario {
  return {
    ...{ name, about },
    size: typeof size === "function" ? size : () => size,
    async run(world) {
      await world.run(STARTED_MS);
      await run(new Stage(world, name));
      await healAndSettle(world);
    },
  };
}
