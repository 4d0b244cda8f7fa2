/** Too many silent nodes at once: the fault is taken for ours. */
import { evenCluster } from "../draw/cluster.ts";
import { releaseBrake } from "../draw/own-api.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { replicated } from "./workloads.ts";

export const brakeMajority = define(
  "brake-majority",
  "three of five nodes fall silent: nothing moves for as long as they are, and nothing after they are back",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const sinceMs = stage.nowMs;
    // Not in the same instant: the first is silent for 3 s longer than the last.
    for (const name of ["n001", "n002", "n003"]) {
      stage.world.network.cut(name, "server");
      await stage.run(1_500);
    }
    await stage.run(10_000);
    await expectBanner(stage, true);
    await stage.run(120_000);
    stage.expectNoMoves(sinceMs, "while the brake holds");
    for (const name of ["n001", "n002", "n003"]) stage.world.network.join(name, "server");
    await stage.run(60_000);
    await expectBanner(stage, false);
    stage.expectStill(sinceMs, "after the brake");
    stage.expect(stage.readyCount("web") === 10, "all are ready again", stage.readyCount("web"));
  },
);

export const brakeZone = define(
  "brake-zone",
  "one zone of three falls silent: its pods are not moved; a host of another zone that dies is replaced",
  evenCluster(9, 3),
  async (stage) => {
    await stage.deploy("web", 18, replicated("web", 18));
    const sinceMs = stage.nowMs;
    const zone = stage.hosts.filter((host) => host.zone === "zone-a").map(({ name }) => name);
    for (const name of zone) stage.world.network.cut(name, "server");
    await stage.run(15_000);
    await expectBanner(stage, true);
    stage.expectNoMoves(sinceMs, "while the zone is silent");
    stage.host("n002").powerOff();
    await stage.run(20_000);
    const from = stage.ledger.movesSince(sinceMs).map(({ pod }) => pod.spec.nodeName ?? "");
    stage.expect(
      from.length === 2 && from.every((name) => name === "n002"),
      "only the dead host of zone-b is replaced",
      from.join(" "),
    );
  },
);

export const brakeRelease = define(
  "brake-release",
  "a person who knows that they are dead says go: then they are replaced",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const sinceMs = stage.nowMs;
    for (const name of ["n001", "n002", "n003"]) stage.host(name).powerOff();
    await stage.run(60_000);
    stage.expectNoMoves(sinceMs, "while the brake holds");
    await stage.ask(releaseBrake());
    await stage.ready("web", 10, 20_000);
    stage.expect(
      stage.ledger.movesSince(sinceMs).length === 6,
      "the 6 pods of dead hosts moved",
      stage.ledger.movesSince(sinceMs).length,
    );
  },
);

export const brakeJoins = define(
  "brake-joins",
  "while the brake holds three of five nodes a fourth falls silent: nothing of it is moved either",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const sinceMs = stage.nowMs;
    for (const name of ["n001", "n002", "n003"]) stage.world.network.cut(name, "server");
    await stage.run(20_000);
    await expectBanner(stage, true);
    stage.world.network.cut("n004", "server");
    await stage.run(120_000);
    stage.expectNoMoves(sinceMs, "while the brake holds");
    for (const name of ["n001", "n002", "n003", "n004"]) stage.world.network.join(name, "server");
    await stage.run(60_000);
    await expectBanner(stage, false);
    stage.expectStill(sinceMs, "after the brake");
  },
);

async function expectBanner(stage: Stage, holds: boolean): Promise<void> {
  const { text } = await stage.ask({ method: "GET", path: "/styr/v1/status" });
  const says = (JSON.parse(text) as { readonly brake?: object | null }).brake != null;
  stage.expect(
    says === holds,
    holds ? "the status says that the brake holds" : "the status says nothing of a brake",
    text,
  );
}
