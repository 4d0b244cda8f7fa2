/** Everything that one seed does to its cluster, drawn before it begins: what happens in the world changes nothing of it. */
import type { Random } from "../../seams/random.ts";
import type { WorldSize } from "../contract.ts";
import { between, chance, pick } from "./dice.ts";
import { drawFaults } from "./faults.ts";
import { drawFleet } from "./fleet-workload.ts";
import { drawKubernetes } from "./kubernetes-workload.ts";
import { drawMarathon } from "./marathon-workload.ts";
import { byTime, type Step } from "./step.ts";
import { drawUsers } from "./users.ts";
import type { Workload } from "./workload.ts";

export interface Plan {
  readonly workloads: readonly Workload[];
  readonly steps: readonly Step[];
  /** When the faults are over and the healing begins. */
  readonly untilMs: number;
}

/** The first fault meets a cluster that has begun to work. */
const FIRST_FAULT_MS = 5_000;
const MOST_WORKLOADS = 14;

export function drawPlan(random: Random, size: WorldSize): Plan {
  const { nodes } = size;
  // Large clusters are shorter: the work is the product of both.
  const untilMs = between(random, 60_000, nodes.length > 40 ? 100_000 : 240_000);
  const workloads = drawWorkloads(random.fork("workloads"), nodes.length);
  const users = drawUsers(random.fork("users"), size, workloads, { wishes: between(random, 3, 20), untilMs });
  const isCalm = chance(random, 0.05);
  const count = isCalm ? 0 : between(random, 1, Math.min(24, 6 + nodes.length));
  const faults = drawFaults(random.fork("faults"), size, { count, fromMs: FIRST_FAULT_MS, untilMs });
  return { workloads, steps: [...users, ...faults].sort(byTime), untilMs };
}

function drawWorkloads(random: Random, nodeCount: number): readonly Workload[] {
  const count = Math.min(MOST_WORKLOADS, between(random, 2, 4 + Math.ceil(nodeCount / 2)));
  const mostCopies = Math.min(12, 2 + nodeCount);
  return Array.from({ length: count }, (_, i) => {
    const copies = between(random, 1, mostCopies);
    const draw = pick(random, [drawFleet, drawMarathon, drawKubernetes]);
    return draw(random.fork(`workload ${i}`), `w${i}`, copies);
  });
}
