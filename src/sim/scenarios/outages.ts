/** A control plane that is away, stands still or cannot write stops and moves nothing. */
import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import { exclusive, replicated } from "./workloads.ts";

const DAY_MS = 24 * 3_600_000;

export const controlPlaneDown = define(
  "control-plane-down",
  "24 hours without a control plane: nothing stops, nothing moves, what crashes is started again",
  evenCluster(2),
  async (stage) => {
    await stage.deploy("web", 4, replicated("web", 4));
    await stage.deploy("one", 1, exclusive("one"));
    await stage.deploy("shaky", 1, replicated("shaky", 1, { image: "fake/exit-1:after-30m" }));
    const sinceMs = stage.nowMs;
    stage.world.server.crash();
    await stage.run(DAY_MS);
    const restarts = stage.ledger.since(sinceMs, "running").length;
    stage.expect(restarts >= 40 && restarts <= 48, "a crash every half hour is followed by a start", restarts);
    const stops = stage.ledger.since(sinceMs, "stop").length;
    stage.expect(stops === 0, "nothing is stopped", stops);
    await stage.world.server.start();
    await stage.run(120_000);
    stage.expectNoMoves(sinceMs, "after a day without a control plane");
    stage.expect(stage.readyCount() === 6, "all are ready", stage.readyCount());
  },
);

export const storeRefuses = define(
  "store-refuses",
  "a disk that is full for ten minutes: writes are refused in words, nothing stops, what crashes is started again",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("web", 6, replicated("web", 6));
    await stage.deploy("shaky", 1, replicated("shaky", 1, { image: "fake/exit-1:after-11m" }));
    await stage.deploy("one", 1, exclusive("one"));
    const sinceMs = stage.nowMs;
    stage.world.server.journal.refuse("no space left on device");
    const refused = await stage.answerTo(replicated("more", 1));
    stage.expect(
      refused.status === 503 && refused.text.includes("no space left"),
      "a write is refused with the reason",
      `${refused.status} ${refused.text}`,
    );
    const read = await stage.answerTo({ method: "GET", path: "/api/v1/pods" });
    stage.expect(read.status === 200, "reads go on", read.status);
    await stage.run(600_000);
    stage.world.server.journal.refuse(undefined);
    await stage.run(120_000);
    const stops = stage.ledger.since(sinceMs, "stop").length;
    stage.expect(stops === 0, "nothing is stopped", stops);
    stage.expectNoMoves(sinceMs, "after a full disk");
    stage.expect(stage.ledger.since(sinceMs, "running").length === 1, "the one that crashed was started again");
  },
);

export const ownStall = define(
  "own-stall",
  "the control plane itself stands still for a minute: it takes nobody's silence for an answer",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const sinceMs = stage.nowMs;
    stage.world.server.freeze(60_000);
    await stage.run(120_000);
    stage.expectStill(sinceMs, "after its own stall");
  },
);

export const restartGrace = define(
  "restart-grace",
  "after its own start the control plane gives every node a full new lease; who stays silent is replaced then",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const sinceMs = stage.nowMs;
    stage.world.server.crash();
    stage.host("n005").powerOff();
    await stage.run(60_000);
    await stage.world.server.start();
    await stage.run(25_000);
    stage.expectNoMoves(sinceMs, "within the grace");
    const isReplaced = () => stage.ledger.movesSince(sinceMs).length === 2;
    await stage.until("the dead host's 2 pods are replaced after the grace", isReplaced, 20_000);
    await stage.ready("web", 10, 10_000);
  },
);

export const upgrade = define(
  "upgrade",
  "server and agents are stopped and started one after another, as an upgrade does: no pod is restarted",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("web", 8, replicated("web", 8));
    await stage.deploy("one", 1, exclusive("one"));
    const sinceMs = stage.nowMs;
    stage.world.server.crash();
    await stage.run(4_000);
    await stage.world.server.start();
    await stage.run(5_000);
    for (const host of stage.hosts) {
      let isBack = false;
      void host
        .stopAgent()
        .then(() => host.startAgent())
        .then(() => {
          isBack = true;
        });
      await stage.until(`the agent of ${host.name} is back`, () => isBack, 30_000);
      await stage.run(5_000);
    }
    await stage.run(60_000);
    stage.expectStill(sinceMs, "after an upgrade");
    stage.expect(stage.readyCount("web") === 8 && stage.readyCount("one") === 1, "all are ready", stage.readyCount());
  },
);
