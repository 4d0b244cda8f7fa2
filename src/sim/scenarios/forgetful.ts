/** What a control plane that starts anew, or stands still, has to know all the same. */
import { evenCluster } from "../draw/cluster.ts";
import { changeSettings, releaseBrake } from "../draw/own-api.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { exclusive, replicated } from "./workloads.ts";

export const termsLowered = define(
  "terms-lowered",
  "exclusive-after is made shorter and the control plane begins anew while a host is cut off: its agent goes by the longer term",
  evenCluster(5),
  async (stage) => {
    await stage.ask(changeSettings({ exclusiveAfterMs: 120_000 }));
    await stage.deploy("one", 1, exclusive("one"));
    await stage.run(5_000);
    const node = stage.active("one")[0]?.spec.nodeName ?? "";
    const cutMs = stage.nowMs;
    stage.world.network.cut(node, "server");
    await stage.run(2_000);
    await stage.ask(changeSettings({ exclusiveAfterMs: 40_000 }));
    await stage.run(500);
    await startAnew(stage);
    await stage.until("another is started in the end", () => stage.ledger.movesSince(cutMs).length === 1, 200_000);
    stage.expect(stage.nowMs - cutMs >= 119_000, "not within the longer term", stage.nowMs - cutMs);
    await stage.ready("one", 1, 10_000);
    stage.world.network.join(node, "server");
  },
);

export const stallsAndDeath = define(
  "stalls-and-death",
  "a host dies while the control plane stands still for 4 s in every 10 s: it is replaced",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const diedMs = stage.nowMs;
    stage.host("n005").powerOff();
    for (let n = 0; n < 7; n++) {
      stage.world.server.freeze(4_000);
      await stage.run(10_000);
    }
    const moves = stage.ledger.movesSince(diedMs).length;
    stage.expect(moves === 2, "the 2 pods of the dead host are replaced", moves);
    await stage.ready("web", 10, 5_000);
  },
);

export const startsAndDeath = define(
  "starts-and-death",
  "a host dies while the control plane begins anew every 20 s, before the grace of its start is over: it is replaced",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const diedMs = stage.nowMs;
    stage.host("n005").powerOff();
    for (let n = 0; n < 5; n++) {
      await startAnew(stage);
      await stage.run(20_000);
    }
    const moves = stage.ledger.movesSince(diedMs).length;
    stage.expect(moves === 2, "the 2 pods of the dead host are replaced", moves);
    await stage.ready("web", 10, 5_000);
  },
);

export const brakeForget = define(
  "brake-forget",
  "of three held nodes of five a person forgets one: the others are held on, for nothing of them is known",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const sinceMs = stage.nowMs;
    for (const name of ["n001", "n002", "n003"]) stage.world.network.cut(name, "server");
    await stage.run(15_000);
    await stage.ask({ method: "DELETE", path: "/styr/v1/nodes/n001" });
    await stage.run(30_000);
    stage.expectNoMoves(sinceMs, "while two of them are silent");
    for (const name of ["n001", "n002", "n003"]) stage.world.network.join(name, "server");
    await stage.run(40_000);
  },
);

export const releaseKept = define(
  "release-kept",
  "a person says that one of four held hosts is dead, and the control plane begins anew: it is dead all the same",
  evenCluster(6),
  async (stage) => {
    await stage.deploy("one", 1, exclusive("one"));
    const node = stage.active("one")[0]?.spec.nodeName ?? "";
    const cut = stage.hosts.map(({ name }) => name).filter((name) => name !== node);
    const sinceMs = stage.nowMs;
    stage.host(node).powerOff();
    for (const name of cut.slice(0, 3)) stage.world.network.cut(name, "server");
    await stage.run(15_000);
    await stage.ask(releaseBrake([node]));
    await stage.run(3_000);
    await startAnew(stage);
    const isGiven = () => stage.ledger.movesSince(sinceMs).length === 1;
    await stage.until("the exclusive pod of the dead host is given away", isGiven, 120_000);
    await stage.ready("one", 1, 10_000);
    for (const name of cut.slice(0, 3)) stage.world.network.join(name, "server");
  },
);

async function startAnew(stage: Stage): Promise<void> {
  stage.world.server.crash();
  await stage.world.server.start();
}
