import assert from "node:assert/strict";
import { test } from "node:test";
import type { LostProbes } from "../../model/network-report.ts";
import { peerLinks } from "./peer-links.ts";
import type { PeerPlan } from "./plan.ts";

const PEER = { node: "b", mode: "routes", mtu: 1500 } as PeerPlan;

function linkWith(failures: number, loss: LostProbes | undefined) {
  const state = failures > 0 ? "unreachable" : "reachable";
  const prober = { seen: () => ({ state, failures, atMs: 0 }) as const, loss: () => loss };
  return peerLinks({ peers: [PEER], wayless: [] }, { prober, passages: undefined, vxlanPort: 8472 }, 0)[0];
}

test("a probe that was lost on a link that loses some is told from a node that does not answer", () => {
  const loss = { lost: 18, of: 50 };
  assert.deepEqual([linkWith(0, loss)?.loss, linkWith(0, loss)?.words], [loss, undefined]);
  assert.match(linkWith(1, loss)?.words ?? "", /^the last probe was lost, as 18 of the last 50 were/);
  assert.match(linkWith(9, loss)?.words ?? "", /^nothing comes back from it/);
  assert.match(linkWith(1, undefined)?.words ?? "", /^nothing comes back from it/);
});
