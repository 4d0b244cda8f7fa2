/** Each rule of self-healing, taken out or bent: the scenario that is about it has to fail. */
import type { PlantedBug } from "./planted-bug.ts";

const SETTINGS = "src/model/cluster-settings.ts";
const LEASE = "src/controllers/node-lifecycle/lease.ts";
const HEALTH = "src/agent/heartbeat/health.ts";

export const ruleBugs: readonly PlantedBug[] = [
  without("silent-full-host", {
    file: SETTINGS,
    find: "workloadMovesBurst: 200,",
    replace: "workloadMovesBurst: 20,",
    sentence: "of one workload twenty copies are replaced at once, and the others one by one",
  }),
  without("blip", {
    file: SETTINGS,
    find: "unreachableAfterMs: 8_000,",
    replace: "unreachableAfterMs: 5_000,",
    sentence: "five seconds of silence are taken for death",
  }),
  without("flapping-node", {
    file: SETTINGS,
    find: "unreachableAfterMs: 8_000,",
    replace: "unreachableAfterMs: 3_500,",
    sentence: "three seconds of silence are taken for death",
  }),
  without("one-way-cut", {
    file: "src/controllers/node-lifecycle/pod-marks.ts",
    find: "if (!isLostAlready(pod) || isTerminal(pod) || isGivenAway(pod)) return true;",
    replace: "if (pod !== undefined) return true;",
    sentence: "pods of a node that is back stay given up",
  }),
  without("gone", {
    file: LEASE,
    find: "return loss !== undefined && nowMs >= loss.sinceMs + goneAfterMs;",
    replace: "return loss !== undefined && nowMs >= loss.sinceMs + 1000 * goneAfterMs;",
    sentence: "what was replaced is never forgotten",
  }),
  without("io-stall", {
    file: HEALTH,
    find: "const IO_STALLED_MS = 5_000;",
    replace: "const IO_STALLED_MS = 5_000_000;",
    sentence: "a disk that stands still is not told of",
  }),
  without("engine-hang", {
    file: HEALTH,
    find: "const DRIVER_SILENT_MS = 10_000;",
    replace: "const DRIVER_SILENT_MS = 10_000_000;",
    sentence: "an engine that hangs is not told of",
  }),
  without("health-steers-placement", {
    file: "src/scheduling/scores.ts",
    find: "unwellFor(demand, facts) === undefined ? 0 : UNWELL",
    replace: "unwellFor(demand, facts) === undefined ? 0 : UNWELL / UNWELL",
    sentence: "a host that says it is unwell gets new pods like any other",
  }),
  without("reboot-all", {
    file: "src/controllers/node-lifecycle/silence.ts",
    find: "return silent >= brakeAtLeast && silent > brakeShare * of;",
    replace: "return silent < brakeAtLeast && silent > brakeShare * of;",
    sentence: "there is no brake when everybody is silent",
    also: ["brake-holds"],
  }),
  without("staggered-restart", {
    file: "src/agent/start-queue.ts",
    find: "constructor(clock: Clock, most = 8) {",
    replace: "constructor(clock: Clock, most = 800) {",
    sentence: "everything of a host is started at once",
  }),
  without("control-plane-down", {
    file: "src/agent/heartbeat/heartbeat-loop.ts",
    find: "if (error instanceof LinkError && error.refused) this",
    replace: "if (error instanceof RangeError) this",
    sentence: "a control plane that is down counts as one that cannot be reached",
  }),
  without("store-refuses", {
    file: "src/store/write-queue.ts",
    find: "the store cannot write: ${error.message}; nothing was changed",
    replace: "the store cannot write; nothing was changed",
    sentence: "a refused write does not say why",
  }),
  without("restart-grace", {
    file: SETTINGS,
    find: "startGraceMs: 30_000,",
    replace: "startGraceMs: 3_000,",
    sentence: "after its start the control plane gives nobody more time than usual",
    also: ["slow-is-not-dead"],
  }),
  without("upgrade", {
    file: "src/agent/pod-memory.ts",
    find: "wasStarted: kept.wasStarted && starting !== true,",
    replace: "attempt: kept.attempt + 1, wasStarted: false,",
    sentence: "an agent that starts begins every container anew",
    also: ["outage-stops-nothing"],
  }),
  without("brake-release", {
    file: "src/controllers/node-lifecycle/held-nodes.ts",
    find: "const lease = leases.get(name);\n      if (!lease) continue;\n      lease.released = true;",
    replace: "const lease = leases.get(name);\n      if (lease) continue;\n      lease.released = true;",
    sentence: "a person's word that nodes are dead changes nothing",
  }),
  without("replace-after", {
    file: "src/controllers/node-lifecycle/move-rules.ts",
    find: "const askedMs = loss.sinceMs + rule.afterMs;",
    replace: "const askedMs = loss.sinceMs;",
    sentence: "a pod that is to be waited for is replaced at once",
    also: ["slow-is-not-dead"],
  }),
  without("tolerations", {
    file: "src/model/when-unreachable.ts",
    find: 'return afterMs === Number.POSITIVE_INFINITY ? { action: "keep" } : { action: "replace", afterMs };',
    replace: 'return afterMs < 0 ? { action: "keep" } : { action: "replace", afterMs: 0 };',
    sentence: "tolerations are not read",
  }),
  without("marathon-disabled", {
    file: "src/personalities/marathon/translate.ts",
    find: 'if (strategy === "disabled") return { whenUnreachable: { action: "keep" } };',
    replace: 'if (strategy === "disabled") return {};',
    sentence: "unreachableStrategy: disabled is not heeded",
  }),
  without("exclusive-stubborn", {
    file: "src/agent/fence.ts",
    find: "const DEAD_SHARE = 3 / 4;",
    replace: "const DEAD_SHARE = 3;",
    sentence: "a fenced pod is given all the grace that it asked for",
    also: ["exclusive-once", "guard-is-last"],
  }),
  without("exclusive-death", {
    file: LEASE,
    find: "return Math.max(lease.heardMs + exclusiveAfterMs, floorMs);",
    replace: "return Math.max(lease.heardMs + exclusiveAfterMs / 2, floorMs);",
    sentence: "an exclusive pod is given away after half of its time",
    also: ["slow-is-not-dead"],
  }),
  without("drain", {
    file: "src/controllers/drain/judge-move.ts",
    find: "if (after >= floor) return { stop: true };",
    replace: "if (after >= 0 * floor) return { stop: true };",
    sentence: "a drain stops a pod before its successor is ready",
  }),
  without("drain-deadline", {
    file: "src/controllers/drain/drain-pass.ts",
    find: "} else if (this.#isLate) {",
    replace: "} else if (this.#isLate && this.#rows.size < 0) {",
    sentence: "the deadline of a drain passes and nothing happens",
  }),
  without("rebalance", {
    file: "src/scheduling/rebalance/plan-rebalance.ts",
    find: "const budget = Math.min(input.budget, MOST_MOVES);",
    replace: "const budget = Math.min(input.budget, MOST_MOVES) - 2;",
    sentence: "a rebalance stops before the copies are even",
  }),
  without("update-floor", {
    file: "src/personalities/marathon/upgrade.ts",
    find: "const floor = Math.ceil(app.instances * minimumHealthCapacity);",
    replace: "const floor = 0 * minimumHealthCapacity;",
    sentence: "an update of an app stops all old instances at once",
  }),
  without("pull-queue", {
    file: "src/agent/pull-queue.ts",
    find: "constructor(clock: Clock, most = 4) {",
    replace: "constructor(clock: Clock, most = 400) {",
    sentence: "all images are pulled at once",
  }),
  without("backoff-reset", {
    file: "src/agent/restart-rules.ts",
    find: "const FORGIVEN_AFTER_MS = 600_000;",
    replace: "const FORGIVEN_AFTER_MS = 600_000_000;",
    sentence: "a good run forgives nothing",
  }),
];

type Removal = Pick<PlantedBug, "file" | "find" | "replace" | "sentence"> & {
  /** Checkers that may be faster. */
  readonly also?: readonly string[];
};

function without(scenario: string, { also = [], ...bug }: Removal): PlantedBug {
  return { ...bug, name: `without-${scenario}`, scenario, foundBy: [scenario, ...also], seeds: 1 };
}
