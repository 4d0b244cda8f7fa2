/** At most one of an exclusive pod at any instant, anywhere. Times are those an omniscient observer sees. */
import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { exclusive, replicated } from "./workloads.ts";

/** ClusterSettings.exclusiveAfterMs. */
const EXCLUSIVE_MS = 40_000;

/** Its agent has killed it after three quarters of that, its guard after four fifths; a beat may have been a second old. */
const KILLED_BEFORE_MS = 9_000;
const GUARDED_BEFORE_MS = 7_000;

export const exclusivePartition = define(
  "exclusive-partition",
  "a host is cut off for five minutes: its exclusive pod has stopped there before it starts elsewhere",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("one", 1, exclusive("one"));
    await stage.deploy("web", 8, replicated("web", 8));
    const { node, uid } = theOne(stage);
    const cutMs = stage.nowMs;
    stage.world.network.cut(node, "server");
    await handedOver(stage, { uid, cutMs, endedBy: "exited" });
    const others = stage.ledger.since(cutMs, "exited").filter((call) => call.host === node && call.podUid !== uid);
    stage.expect(others.length === 0, "pods that are not exclusive run on there", others.length);
    await stage.run(240_000);
    stage.world.network.join(node, "server");
    await oneIsLeft(stage);
  },
);

export const exclusiveStubborn = define(
  "exclusive-stubborn",
  "an exclusive pod that ignores the request to end, with a grace of ten minutes, is killed in time all the same",
  evenCluster(3),
  async (stage) => {
    const wishes = { image: "fake/stubborn", spec: { terminationGracePeriodSeconds: 600 } };
    await stage.deploy("one", 1, exclusive("one", wishes));
    const { node, uid } = theOne(stage);
    const cutMs = stage.nowMs;
    stage.world.network.cut(node, "server");
    await handedOver(stage, { uid, cutMs, endedBy: "exited" });
    stage.world.network.join(node, "server");
    await oneIsLeft(stage);
  },
);

export const exclusiveAgentCrash = define(
  "exclusive-agent-crash",
  "the agent is dead and its host cut off: the guard, which outlives it, kills the exclusive pod in time",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("one", 1, exclusive("one"));
    const { node, uid } = theOne(stage);
    const cutMs = stage.nowMs;
    stage.world.network.cut(node, "server");
    stage.host(node).crashAgent();
    await handedOver(stage, { uid, cutMs, endedBy: "guard-kill" });
    stage.world.network.join(node, "server");
    await stage.host(node).startAgent();
    await oneIsLeft(stage);
  },
);

export const exclusiveServerDown = define(
  "exclusive-server-down",
  "the control plane's program is down for ten minutes: exclusive pods run on, as nobody can give them away",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("one", 1, exclusive("one"));
    const sinceMs = stage.nowMs;
    stage.world.server.crash();
    await stage.run(600_000);
    await stage.world.server.start();
    await stage.run(90_000);
    stage.expectStill(sinceMs, "after a control plane that was down");
    stage.expect(stage.readyCount("one") === 1, "it is ready", stage.readyCount("one"));
  },
);

export const exclusiveDeath = define(
  "exclusive-death",
  "a host dies: its exclusive pod starts elsewhere after 40 s, and not before",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("one", 1, exclusive("one"));
    const { node } = theOne(stage);
    const diedMs = stage.nowMs;
    stage.host(node).powerOff();
    const startedMs = await startedElsewhere(stage, diedMs);
    const after = startedMs - diedMs;
    stage.expect(after >= EXCLUSIVE_MS - 1_000 && after <= EXCLUSIVE_MS + 5_000, "it starts after 40 to 45 s", after);
  },
);

function theOne(stage: Stage): { readonly node: string; readonly uid: string } {
  const pod = stage.active("one")[0];
  if (!pod) throw stage.failure("there is an exclusive pod", "there is none");
  return { node: pod.spec.nodeName ?? "", uid: pod.metadata.uid };
}

async function handedOver(
  stage: Stage,
  expected: { readonly uid: string; readonly cutMs: number; readonly endedBy: "exited" | "guard-kill" },
): Promise<void> {
  const { uid, cutMs, endedBy } = expected;
  const startedMs = await startedElsewhere(stage, cutMs);
  const ended = stage.ledger.since(cutMs, endedBy, uid)[0];
  if (!ended) throw stage.failure(`it has ended there (${endedBy}) before it starts elsewhere`, "it has not");
  const marginMs = startedMs - ended.atMs;
  stage.world.note(`ended after ${ended.atMs - cutMs} ms, started elsewhere ${marginMs} ms later`);
  const leastMs = endedBy === "exited" ? KILLED_BEFORE_MS : GUARDED_BEFORE_MS;
  stage.expect(marginMs >= leastMs, `there are ${leastMs} ms between its end and its start elsewhere`, marginMs);
}

/** The time at which another copy runs. */
async function startedElsewhere(stage: Stage, sinceMs: number): Promise<number> {
  const running = () => {
    const uids = new Set(stage.pods("one").map(({ metadata }) => metadata.uid));
    return stage.ledger.since(sinceMs, "running").find(({ podUid }) => uids.has(podUid));
  };
  await stage.until("it runs elsewhere", () => running() !== undefined, EXCLUSIVE_MS + 10_000);
  return running()?.atMs ?? 0;
}

/** After the join: the one that was given away is gone, and its successor stays. */
async function oneIsLeft(stage: Stage): Promise<void> {
  await stage.until(
    "one copy is left",
    () => stage.pods("one").length === 1 && stage.readyCount("one") === 1,
    60_000,
    () => `${stage.pods("one").length} of which ${stage.readyCount("one")} ready`,
  );
  const starts = stage.runningOn(new Set(stage.pods("one").map(({ metadata }) => metadata.uid)));
  stage.expect(starts.length === 1, "it runs once", starts.join(" "));
}
