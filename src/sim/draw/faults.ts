/** All faults of one run, drawn before it begins. */
import type { Random } from "../../seams/random.ts";
import type { WorldSize } from "../contract.ts";
import { Calendar } from "./calendar.ts";
import { pick, weighted } from "./dice.ts";
import { HOST_FAULTS, SIDE_FAULTS } from "./host-faults.ts";
import { drawNetworkFault } from "./network-faults.ts";
import { journalFault, serverCrash, serverFreeze } from "./server-faults.ts";
import { byTime, type Step } from "./step.ts";

/** A fault that takes its victim for itself may not begin so short before the end. */
const LAST_MOMENT_MS = 5_000;
/** What a host takes beside its fault until it is itself again. */
const MARGIN_MS = 3_000;

const WHERE = [
  [12, "host"],
  [6, "side"],
  [6, "network"],
  [2, "server-crash"],
  [1, "server-freeze"],
  [3, "journal"],
] as const;

/** `count` faults between `fromMs` and `untilMs`; all of them are over by then, at the latest by the healing. */
export function drawFaults(
  random: Random,
  { nodes }: WorldSize,
  { count, fromMs, untilMs }: { readonly count: number; readonly fromMs: number; readonly untilMs: number },
): readonly Step[] {
  const calendar = new Calendar();
  const times = Array.from(
    { length: count },
    () => fromMs + random.int(Math.max(1, untilMs - LAST_MOMENT_MS - fromMs)),
  );
  return times
    .sort((a, b) => a - b)
    .flatMap((atMs, i) => one(random.fork(`fault ${i}`), atMs))
    .sort(byTime);

  function one(draws: Random, atMs: number): readonly Step[] {
    const spot = { atMs, untilMs };
    const host = pick(draws, nodes).name;
    switch (weighted(draws, WHERE)) {
      case "host":
        return alone(host, weighted(draws, HOST_FAULTS)(draws, { ...spot, host }));
      case "side":
        return weighted(draws, SIDE_FAULTS)(draws, { ...spot, host });
      case "network":
        return alone("network", drawNetworkFault(draws, { ...spot, hosts: nodes }));
      case "server-crash":
        return alone("server", serverCrash(draws, spot));
      case "server-freeze":
        return alone("server", serverFreeze(draws, spot));
      default:
        return alone("journal", journalFault(draws, spot));
    }
  }

  /** Nothing when who it concerns has another fault at that time. */
  function alone(who: string, steps: readonly Step[]): readonly Step[] {
    const [first, last] = [steps[0], steps.at(-1)];
    if (!first || !last) return [];
    const isOneStep = first === last;
    // A fault of one step carries its length with it: the longest is a reboot.
    const toMs = isOneStep ? Math.min(untilMs, first.atMs + 125_000) : last.atMs;
    return calendar.take(who, first.atMs, toMs + MARGIN_MS) ? steps : [];
  }
}
