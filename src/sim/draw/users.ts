/** What users do to a cluster over time, drawn before it begins. */
import type { Random } from "../../seams/random.ts";
import type { Role, SimRequest, WorldSize } from "../contract.ts";
import { insist } from "./ask.ts";
import { between, chance, pick, weighted } from "./dice.ts";
import { changeSettings, cordon, drain, rebalance, releaseBrake, uncordon } from "./own-api.ts";
import { byTime, type Step } from "./step.ts";
import type { Workload } from "./workload.ts";

/** The first workloads are there before the first fault. */
const FIRST_MS = 3_000;

const WISHES = [
  [8, "scale"],
  [8, "update"],
  [4, "delete"],
  [3, "create again"],
  [4, "more"],
  [5, "drain"],
  [3, "cordon"],
  [4, "uncordon"],
  [2, "release the brake"],
  [2, "settings"],
  [2, "rebalance"],
  [8, "not allowed"],
  [6, "look"],
] as const;

export function drawUsers(
  random: Random,
  size: WorldSize,
  workloads: readonly Workload[],
  { wishes, untilMs }: { readonly wishes: number; readonly untilMs: number },
): readonly Step[] {
  const creations = workloads.flatMap((workload) => {
    // Some come later, when something is amiss already.
    const atMs = chance(random, 0.8) ? random.int(FIRST_MS) : random.int(untilMs);
    return inOrder(atMs, "create", workload.create);
  });
  const later = Array.from({ length: wishes }, (_, i) => {
    const atMs = FIRST_MS + random.int(Math.max(1, untilMs - FIRST_MS));
    return drawWish(random.fork(`wish ${i}`), size, workloads, atMs);
  });
  return [...creations, ...later.flat()].sort(byTime);
}

function drawWish(random: Random, size: WorldSize, workloads: readonly Workload[], atMs: number): readonly Step[] {
  const node = pick(random, size.nodes).name;
  const workload = pick(random, workloads);
  const wish = weighted(random, WISHES);
  switch (wish) {
    case "scale":
      return inOrder(atMs, wish, workload.scale ? [workload.scale(between(random, 0, 6))] : []);
    case "update":
      return inOrder(atMs, wish, workload.update ? [workload.update(atMs)] : []);
    case "delete":
      return inOrder(atMs, wish, workload.remove);
    case "create again":
      return inOrder(atMs, wish, workload.create);
    case "more":
      return inOrder(atMs, wish, workload.more ?? []);
    case "drain":
      return inOrder(atMs, wish, [drain(node, chance(random, 0.3) ? { deadlineMs: 20_000 } : {})]);
    case "cordon":
      return inOrder(atMs, wish, [cordon(node)]);
    case "uncordon":
      return inOrder(atMs, wish, [uncordon(node)]);
    case "release the brake":
      return inOrder(atMs, wish, [releaseBrake()]);
    case "settings":
      return inOrder(atMs, wish, [changeSettings(drawSettings(random))]);
    case "rebalance":
      return inOrder(atMs, wish, [rebalance({ budget: between(random, 1, 5) })]);
    case "not allowed":
      return inOrder(atMs, wish, [forbidden(random, workload, node)]);
    default:
      return inOrder(atMs, wish, [{ ...look(random), as: pick(random, ["viewer", "operator", "admin"]) }]);
  }
}

/** One request after the other, each as soon as the one before was answered. */
function inOrder(atMs: number, wish: string, requests: readonly SimRequest[]): readonly Step[] {
  const [first] = requests;
  if (!first) return [];
  const words = `${wish}: ${first.as ?? "admin"} ${first.method} ${first.path}${requests.length > 1 ? " …" : ""}`;
  return [
    {
      ...{ atMs, kind: `user/${wish}`, words },
      async perform(world) {
        for (const request of requests) await insist(world, request);
      },
    },
  ];
}

function forbidden(random: Random, workload: Workload, node: string): SimRequest {
  const as: Role = pick(random, ["viewer", "anonymous"]);
  const some = pick(random, [
    ...workload.create,
    ...workload.remove,
    drain(node),
    cordon(node),
    changeSettings({ heartbeatMs: 5_000 }),
  ]);
  return { ...some, as };
}

function look(random: Random): SimRequest {
  const path = pick(random, [
    "/v2/apps?embed=apps.tasks",
    "/v2/deployments",
    "/v2/queue",
    "/fleet/v1/units",
    "/fleet/v1/state",
    "/fleet/v1/machines",
    "/api/v1/pods",
    "/api/v1/nodes",
    "/api/v1/events",
    "/styr/v1/workloads",
    "/styr/v1/nodes",
    "/styr/v1/status",
  ]);
  return { method: "GET", path };
}

/** In time with one another: a beat is shorter than suspicion, that than unreachable, that than exclusive. */
function drawSettings(random: Random) {
  return weighted<Parameters<typeof changeSettings>[0]>(random, [
    [3, { unreachableAfterMs: pick(random, [5_000, 12_000, 20_000]) }],
    [2, { exclusiveAfterMs: pick(random, [30_000, 60_000]) }],
    [2, { brakeShare: pick(random, [0.3, 0.5, 0.8]) }],
    [1, { movesBurst: 1, movesPerSecond: 1 }],
    [2, { unreachableAfterMs: null, exclusiveAfterMs: null }],
  ]);
}
