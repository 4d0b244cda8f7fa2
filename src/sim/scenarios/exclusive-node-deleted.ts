import { evenCluster } from "../draw/cluster.ts";
import { changeSettings } from "../draw/own-api.ts";
import { define } from "./define.ts";
import { exclusive } from "./workloads.ts";

const EXCLUSIVE_MS = 120_000;
/** A node that is alive is not deleted. */
const UNREACHABLE_MS = 12_000;

export const exclusiveNodeDeleted = define(
  "exclusive-node-deleted",
  "a host is cut off and its Node object deleted: its exclusive pod starts elsewhere when its agent has ended it, and not before",
  evenCluster(3),
  async (stage) => {
    await stage.ask(changeSettings({ exclusiveAfterMs: EXCLUSIVE_MS }));
    await stage.deploy("one", 1, exclusive("one"));
    await stage.run(5_000);
    const [pod] = stage.active("one");
    const node = pod?.spec.nodeName ?? "";
    const cutMs = stage.nowMs;
    stage.world.network.cut(node, "server");
    await stage.run(UNREACHABLE_MS);
    await stage.ask({ method: "DELETE", path: `/api/v1/nodes/${node}` });
    const startsElsewhere = () => stage.ledger.since(cutMs, "running").some(({ host }) => host !== node);
    await stage.until("it runs elsewhere", startsElsewhere, EXCLUSIVE_MS + 2 * UNREACHABLE_MS);
    const after = stage.nowMs - cutMs;
    stage.expect(after >= EXCLUSIVE_MS - 1_000, "it starts after the time that its agent was given", after);
    stage.world.network.join(node, "server");
    await stage.ready("one", 1);
  },
);
