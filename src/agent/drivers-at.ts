import type { DriverName } from "../model/pod.ts";
import type { DriverView } from "./driver-view.ts";
import type { Signs } from "./heartbeat/health.ts";

/** When those who run things last answered; of several drivers behind one, the one that has been silent longest. */
export function driversAtMs(
  views: ReadonlyMap<DriverName, Pick<DriverView, "answeredAtMs">>,
): Pick<Signs, "engineAtMs" | "keeperAtMs"> {
  const oldest = (isOne: (name: DriverName) => boolean) => {
    const answers = [...views].flatMap(([name, { answeredAtMs }]) => (isOne(name) ? (answeredAtMs ?? []) : []));
    return answers.length === 0 ? undefined : Math.min(...answers);
  };
  const engineAtMs = oldest((name) => !isKept(name));
  const keeperAtMs = oldest(isKept);
  return {
    ...(engineAtMs === undefined ? {} : { engineAtMs }),
    ...(keeperAtMs === undefined ? {} : { keeperAtMs }),
  };
}

/** Processes and units are the keeper's. */
function isKept(name: DriverName): boolean {
  return name === "process" || name === "unit";
}
