/** After a restore from a backup that is older than the CA, the hosts see a server that they do not believe, and say nothing. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { restorationReport } from "../../../src/api/restoration.ts";
import { NodeIdentity } from "../../../src/app/trust/node-identity.ts";
import { linesOf } from "../../../src/cli/restore.ts";
import { nodes } from "../../../src/model/node.ts";
import { RESTORATION_NAME, type Restoration, restorations } from "../../../src/model/restoration.ts";
import { testNode } from "../../../src/scheduling/test-objects.ts";
import { postJson } from "../../../src/trust/pinned-request.ts";
import { openStage, type Stage } from "./stage.ts";

let earlier: Stage;
let restored: Stage;
before(async () => {
  [earlier, restored] = [await openStage(), await openStage()];
});
after(() => Promise.all([earlier.close(), restored.close()]));

test("a node that believes another CA is named by styr restore status, though it goes before it asks anything", async () => {
  const state = earlier.host("web-1");
  await earlier.join(state, await earlier.token());
  const { caPem, ...pair } = (await NodeIdentity.open(state)).current();
  const ask = () => postJson(new URL("/styr/v1/certificates", restored.url), caPem, {}, pair);
  for (let n = 0; n < 4; n++)
    await assert.rejects(ask, /Either the CA was changed, or the control plane restored .*: then join again/);

  const { store, pki, clock } = restored;
  await store.update((tx) => {
    for (const [name, address] of [
      ["web-1", "127.0.0.1"],
      ["web-2", "192.0.2.2"],
    ] as const) {
      const { status, ...node } = testNode({ name });
      tx.create(nodes, { ...node, status: { ...status, addresses: [{ type: "InternalIP", address }] } });
    }
    tx.create<Restoration>(restorations, {
      ...{ apiVersion: restorations.apiVersion, kind: "Restoration", metadata: { name: RESTORATION_NAME } },
      spec: {
        ...{ restoredAt: "2026-01-02T00:00:00Z", backupTime: "2026-01-01T00:00:00Z", backupRevision: 1 },
        ...{ backupVersion: "0.1.0", state: "held" },
      },
    });
  });
  const report = restorationReport(store, (address) => pki.strangers.has(address, clock.now()));
  const [, web1, web2] = linesOf(report);
  assert.match(web1 ?? "", /^web-1: comes, and goes as soon as it sees this server's CA: .* it has to join again/);
  assert.equal(web2, "web-2: has not said yet what runs there");
});
