/** The tests of a lab: one cluster for all scenarios, each of which leaves it whole for the next. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { LabCluster } from "../harness/lab-cluster.ts";
import { Measured } from "../harness/measured.ts";
import { mend } from "../harness/mend.ts";
import { aloneInRoom } from "../harness/room.ts";
import type { Scene } from "./scenario.ts";

export interface Scenario {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<void>;
  /** The others rest on it: it is always run, and they are not where it failed. */
  readonly isBase?: true;
  /** Nobody runs any more when it has ended. */
  readonly isEnd?: true;
  /** It measures how fast something is noticed, or keeps both cores busy: no other scenario of this kind runs meanwhile, in no lab. */
  readonly isAlone?: true;
}

export interface Play {
  readonly name: string;
  readonly skip: string | undefined;
  /** Alone, too. */
  readonly open: () => Promise<LabCluster>;
  readonly scenarios: readonly Scenario[];
  /** What the cluster says of itself when a scenario has failed. */
  readonly askAfter?: (cluster: LabCluster) => Promise<string>;
}

/** `--full`: faults last as long as the requirement says. Other words of the command line: only scenarios with one of them in their names. */
export function play({ name, skip, open, scenarios, askAfter }: Play): void {
  const words = process.argv.slice(2);
  const isFull = words.includes("--full");
  const asked = words.filter((word) => !word.startsWith("-"));
  const isAsked = (one: Scenario) => one.isBase || asked.length === 0 || asked.some((word) => one.name.includes(word));

  describe(name, { skip: skip ?? false }, () => {
    const measured = new Measured();
    let cluster: LabCluster;
    let failedBase: string | undefined;
    before(async () => {
      cluster = await aloneInRoom(open);
    });
    after(() => {
      console.log(measured.table());
      cluster?.close();
      assert.deepEqual(cluster?.lab.left(), []);
    });

    const act = async ({ name: scenario, run, isBase, isEnd, isAlone }: Scenario) => {
      const scene = { cluster, measured, isFull };
      await (isAlone ? aloneInRoom(() => run(scene)) : run(scene)).catch(async (error: Error) => {
        const all = [error.message, cluster.lastWords(), (await askAfter?.(cluster)) ?? ""].join("\n");
        console.log(`  failed: ${scenario}\n${all}`);
        if (!isBase && !isEnd)
          await mend(cluster).catch((left: Error) => console.log(`  and is not mended: ${left.message}`));
        throw new Error(all, { cause: error });
      });
      if (!isEnd) assert.equal(cluster.lastWords(), "", "whoever was not killed on purpose runs");
    };
    for (const scenario of scenarios.filter(isAsked)) {
      test(scenario.name, async () => {
        assert.equal(failedBase, undefined, "what it rests on failed");
        if (scenario.isBase) failedBase = scenario.name;
        await act(scenario);
        if (scenario.isBase) failedBase = undefined;
      });
    }
  });
}
