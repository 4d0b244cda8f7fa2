import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Draft } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { RESTORATION_NAME, type Restoration, restorations } from "../model/restoration.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { StyrApiContext } from "./context.ts";
import { restorationReport, restorationRoutes, restoredWords } from "./restoration.ts";

const POLICY = { kind: "NetworkPolicy", count: 1, names: ["shop/late"] } as const;

async function restored() {
  const [clock, log, kinds] = [new ManualClock(), silentLog, [nodes, restorations]];
  const journal = new MemoryJournal();
  const store = await Store.open({ kinds, journal, clock, random: new SeededRandom("restored"), log });
  const spec = { restoredAt: "", backupTime: "noon", backupRevision: 1, backupVersion: "1", state: "held" } as const;
  await store.update((tx) => {
    tx.create<Restoration>(restorations, {
      ...{ apiVersion: restorations.apiVersion, kind: "Restoration", metadata: { name: RESTORATION_NAME }, spec },
    });
    const node = testNode({ name: "n1" }) as Node;
    const unlisted = { kept: 0, keptPods: [], waiting: 0, waitingPods: [], network: [POLICY] };
    tx.create(nodes, { ...node, status: { ...node.status, unlisted } } as Draft<Node>);
  });
  const [, confirm] = restorationRoutes({ store } as unknown as StyrApiContext);
  const ask = async (options: object) => {
    const request = new Request("http://styr/", { method: "POST", body: JSON.stringify(options) });
    return await confirm?.handle(request, { actor: { name: "ann" }, params: {} } as never);
  };
  return { store, ask };
}

describe("a restored store that nobody has confirmed", () => {
  test("says what of the network nodes have and it does not know, and does not take it away unasked", async () => {
    const { store, ask } = await restored();
    assert.deepEqual(restorationReport(store).network, [POLICY]);
    assert.match(restoredWords(store).restored ?? "", /nodes have 1 NetworkPolicy that it does not know/);
    await assert.rejects(ask({}), /nodes have 1 NetworkPolicy .*would lose them/);
    assert.equal(store.get(restorations, RESTORATION_NAME)?.spec.state, "held");
    await ask({ stopUnknown: true });
    assert.equal(store.get(restorations, RESTORATION_NAME)?.spec.state, "confirmed");
    assert.equal(restorationReport(store).network, undefined);
  });
});
