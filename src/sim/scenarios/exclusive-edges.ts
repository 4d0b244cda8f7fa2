/** The moments in which one safeguard alone stands between an exclusive pod and its second copy. */
import { isTerminal } from "../../model/pod.ts";
import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { exclusive } from "./workloads.ts";

/** ClusterSettings.exclusiveAfterMs. */
const EXCLUSIVE_MS = 40_000;
/** Longer than until all is decided. */
const DECIDED_MS = 90_000;

export const exclusiveLateAnswer = define(
  "exclusive-late-answer",
  "the last heartbeat is answered ten seconds late and the agent dies then: the guard counts from when it was sent",
  evenCluster(3),
  async (stage) => {
    const { node, uid } = await deployed(stage);
    const { network } = stage.world;
    let heardMs: number | undefined;
    stage.world.observe({
      heard: (beat) => {
        if (beat.node !== node || heardMs !== undefined) return;
        heardMs = stage.nowMs;
        network.setQuality({ delayMs: [9_700, 9_800], loss: 0, duplicate: 0, reorder: 0 });
        network.cut(node, "server", true);
      },
    });
    await stage.until(
      "a heartbeat is heard",
      () => heardMs !== undefined,
      5_000,
      () => "none",
    );
    network.setQuality({ delayMs: [0.5, 1.5], loss: 0, duplicate: 0, reorder: 0 });
    await stage.run(10_500);
    stage.host(node).crashAgent();
    await stage.run(DECIDED_MS);
    const [ended] = stage.ledger.since(heardMs ?? 0, "guard-kill", uid);
    const afterMs = (ended?.atMs ?? Number.POSITIVE_INFINITY) - (heardMs ?? 0);
    stage.expect(afterMs < EXCLUSIVE_MS, "the guard kills it before it may start elsewhere", afterMs);
    network.join(node, "server");
    await stage.host(node).startAgent();
    await stage.ready("one", 1);
  },
);

export const exclusiveAgentRestart = define(
  "exclusive-agent-restart",
  "a host is cut off, and its agent is restarted there after it has stopped its exclusive pod: it does not start it again",
  evenCluster(3),
  async (stage) => {
    const { node } = await deployed(stage);
    stage.world.network.cut(node, "server");
    await stage.run(35_000);
    stage.host(node).crashAgent();
    const sinceMs = stage.nowMs;
    await stage.host(node).startAgent();
    await stage.run(DECIDED_MS);
    const starts = stage.ledger.since(sinceMs, "start").filter(({ host }) => host === node).length;
    stage.expect(starts === 0, "nothing is started there", starts);
    stage.world.network.join(node, "server");
    await stage.ready("one", 1);
  },
);

export const exclusiveReturnWhileGiven = define(
  "exclusive-return-while-given",
  "a host is back for a moment while the journal is slow to write that its exclusive pod is given away: it stays stopped there",
  evenCluster(3),
  async (stage) => {
    const { node } = await deployed(stage);
    const { network, server } = stage.world;
    network.cut(node, "server");
    const cutMs = stage.nowMs;
    await stage.run(38_500);
    server.journal.stall(12_000);
    await stage.run(3_000);
    network.join(node, "server");
    await stage.run(5_000);
    network.cut(node, "server");
    await stage.run(DECIDED_MS);
    const starts = stage.ledger.since(cutMs, "start").filter(({ host }) => host === node).length;
    stage.expect(starts === 0, "it is not started there in between", starts);
    network.join(node, "server");
    await stage.ready("one", 1);
  },
);

export const exclusiveReturnSlowJournal = define(
  "exclusive-return-slow-journal",
  "a host whose exclusive pod was given away is back, and every write takes 12 s: the pod does not run there again",
  evenCluster(3),
  async (stage) => {
    const { node, uid } = await deployed(stage);
    const { network, server } = stage.world;
    network.cut(node, "server");
    const cutMs = stage.nowMs;
    await stage.run(EXCLUSIVE_MS + 5_000);
    server.journal.setDelay(12_000);
    network.join(node, "server");
    await stage.run(DECIDED_MS);
    server.journal.setDelay(0);
    const starts = stage.ledger.since(cutMs, "start", uid).length;
    stage.expect(starts === 0, "it is not started there again", starts);
    await stage.ready("one", 1);
  },
);

async function deployed(stage: Stage): Promise<{ readonly node: string; readonly uid: string }> {
  await stage.deploy("one", 1, exclusive("one"));
  const pod = stage.active("one").find((one) => !isTerminal(one));
  if (!pod) throw stage.failure("there is an exclusive pod", "there is none");
  return { node: pod.spec.nodeName ?? "", uid: pod.metadata.uid };
}
