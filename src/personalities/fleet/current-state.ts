import type { Pod } from "../../model/pod.ts";
import type { Unit } from "./kinds.ts";
import { isAskedToStart, isStopping, unitStateOf } from "./unit-pods.ts";

export type CurrentState = "inactive" | "loaded" | "launched";

/** fleetctl's restart asks to stop and then waits to see "launched" on a poll at least 250 ms later (specs 2.3.5). */
const RESTART_GRACE_MS = 600;

/** `pods`: those of the unit on machines that are there. "launched" means that the machine was told to start it, and says nothing of success (specs 3.6). */
export function currentState({ spec }: Unit, pods: readonly Pod[], nowMs: number): CurrentState {
  const { desiredState, stops, stoppedAtMs } = spec;
  const loaded = pods.find((pod) => unitStateOf(pod) !== undefined);
  switch (desiredState) {
    case "inactive":
      return loaded ? "loaded" : "inactive";
    case "launched":
      if (!loaded) return "inactive";
      return isAskedToStart(loaded) ? "launched" : "loaded";
    case "loaded": {
      const wasJustAsked = stoppedAtMs !== undefined && nowMs - stoppedAtMs < RESTART_GRACE_MS;
      if (wasJustAsked) return "launched";
      if (!loaded) return "inactive";
      return isStopping(loaded, stops) ? "launched" : "loaded";
    }
  }
}
