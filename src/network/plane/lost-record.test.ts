import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { NetworkEntry, NetworkNews, NodeEntry } from "../../model/network.ts";
import { SystemClock } from "../../seams/clock.ts";
import { type LogFields, silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { LostRecord } from "./lost-record.ts";
import { NetworkCache } from "./network-cache.ts";
import { NetworkPlane } from "./network-plane.ts";
import type { NetworkState } from "./network-state.ts";

let home = "";
before(async () => {
  home = await mkdtemp(join(tmpdir(), "styr-lost-"));
});
after(() => rm(home, { recursive: true, force: true }));

function recordIn(folder: string) {
  const warnings: string[] = [];
  const log = {
    ...silentLog,
    warn: (message: string, fields?: LogFields) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
  };
  return { record: new LostRecord({ folder: join(home, folder), log }), warnings };
}

describe("which nodes were lost last", () => {
  test("is read again as it was written last, however often it changed meanwhile", async () => {
    const { record, warnings } = recordIn("kept");
    assert.deepEqual(await record.load(), []);
    for (const lost of [["n3"], [], ["n3", "n2"]]) record.keep(lost);
    await record.stop();
    assert.deepEqual(await recordIn("kept").record.load(), ["n2", "n3"]);
    record.keep([]);
    await record.stop();
    assert.deepEqual(await recordIn("kept").record.load(), []);
    await record.remove();
    assert.deepEqual(await recordIn("kept").record.load(), []);
    assert.deepEqual(warnings, []);
  });

  test("is nobody where the file is torn or of another form, and it says so; it is written anew", async () => {
    const { record } = recordIn("torn");
    await record.load();
    record.keep(["n3"]);
    await record.stop();
    for (const text of ['{"lost":["n', "", '{"lost":"n3"}', '{"lost":[3]}']) {
      await writeFile(join(home, "torn", "lost-nodes.json"), text);
      const { record: again, warnings } = recordIn("torn");
      assert.deepEqual(await again.load(), [], text);
      assert.equal(warnings.length, 1, text);
      again.keep([]);
      await again.stop();
      assert.deepEqual(await recordIn("torn").record.load(), []);
    }
  });

  test("is not written over before it was read", async () => {
    const { record } = recordIn("early");
    await record.load();
    record.keep(["n3"]);
    await record.stop();
    const { record: early } = recordIn("early");
    early.keep([]);
    await early.stop();
    assert.match(await readFile(join(home, "early", "lost-nodes.json"), "utf8"), /n3/);
  });
});

const node = (id: string): NodeEntry => ({ kind: "node", id, address: "192.0.2.2", podRange: "10.42.7.0/24" });
const NODES: readonly NetworkEntry[] = ["n1", "n2", "n3"].map(node);

/** An agent with what its predecessors left in that folder; `sees` is whom each of its first writes leaves out. */
function agentIn(folder: string, probe: (node: NodeEntry) => Promise<boolean | undefined>) {
  const clock = new ManualClock();
  const sees: string[] = [];
  const part = {
    name: "services",
    apply: (state: NetworkState) => Promise.resolve(void sees.push([...state.lostNodes].join())),
    stop: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    report: () => ({ state: "working" as const }),
  };
  const cache = new NetworkCache({ folder: join(home, folder), clock: new SystemClock(), log: silentLog });
  const lost = recordIn(folder).record;
  const plane = new NetworkPlane({ nodeName: "n1", parts: [part], clock, log: silentLog, cache, lost, probe });
  const all: NetworkNews = { type: "all", revision: 1, entries: NODES };
  return { clock, plane, sees, all };
}

const answersBut = (gone: string) => (one: NodeEntry) => Promise.resolve(one.id !== gone);

describe("an agent that starts while no control plane answers", () => {
  test("writes nothing that leads to whom its predecessor, killed, did not reach, until that one answers", async () => {
    const first = agentIn("restart", answersBut("n3"));
    await first.plane.begin();
    first.plane.hear(first.all);
    first.plane.unreached(["n3"]);
    await first.clock.settle();
    assert.deepEqual([...first.plane.state.lostNodes], ["n3"]);
    await first.plane.stop();

    let answers = false;
    const second = agentIn("restart", () => Promise.resolve(answers));
    await second.plane.begin();
    await second.clock.settle();
    assert.deepEqual(second.sees, ["n3"], "not in the first write either");
    second.plane.hear(second.all);
    await second.clock.settle();
    assert.deepEqual(second.sees.at(-1), "n3", "a server that has just begun does not know it");
    answers = true;
    await second.clock.advance(600);
    assert.deepEqual(second.sees.at(-1), "");
    await second.plane.stop();

    const third = agentIn("restart", answersBut("nobody"));
    await third.plane.begin();
    await third.clock.settle();
    assert.deepEqual(third.sees, [""]);
    await third.plane.stop();
  });

  test("finds out within a second who was lost while there was no agent, once anybody can be asked", async () => {
    const earlier = agentIn("away", answersBut("nobody"));
    await earlier.plane.begin();
    earlier.plane.hear(earlier.all);
    await earlier.plane.stop();

    let hasWays = false;
    const probe = ({ id }: NodeEntry) => Promise.resolve(hasWays ? id !== "n3" : undefined);
    const { clock, plane, sees } = agentIn("away", probe);
    await plane.begin();
    await clock.settle();
    assert.deepEqual(sees, [""], "and waits for nobody before it writes");
    await clock.advance(3_000);
    assert.deepEqual(sees, [""], "whom nobody could ask is not lost");
    hasWays = true;
    await clock.advance(1_000);
    assert.equal(sees.at(-1), "n3");
    await plane.stop();
  });

  test("asks nobody when the control plane answers as ever", async () => {
    let asked = 0;
    const probe = () => {
      asked++;
      return Promise.resolve(true);
    };
    const { clock, plane, all } = agentIn("restart", probe);
    await plane.begin();
    await clock.advance(400);
    plane.heardControl(1_000);
    plane.hear(all);
    await clock.advance(1_300);
    assert.equal(asked, 0);
    await plane.stop();
  });
});
