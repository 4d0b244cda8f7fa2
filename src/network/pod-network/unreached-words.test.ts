import assert from "node:assert/strict";
import { test } from "node:test";
import { peerLinks } from "./peer-links.ts";
import { type PeerPlan, UNROUTED } from "./plan.ts";

const peer: PeerPlan = {
  ...{ node: "b", address: "192.0.2.2", podRange: "10.42.1.0/24", gateway: "10.42.1.1" },
  ...{ mode: "vxlan", device: "styrmann-vxlan", mtu: 1450, words: UNROUTED },
};

function wordsOf(how: Pick<PeerPlan, "mode" | "words">, state: "reachable" | "unreachable"): string | undefined {
  const { words: _none, ...plain } = peer;
  const prober = { seen: () => ({ state, failures: 0, atMs: 0 }), loss: () => undefined };
  const plan = { peers: [{ ...plain, ...how }], wayless: [] };
  return peerLinks(plan, { prober, passages: undefined, vxlanPort: 8472 }, 0)[0]?.words;
}

test("that packets are wrapped is said of a way that works, and is no reason where nothing comes back", () => {
  const wrapped = { mode: "vxlan", words: UNROUTED } as const;
  assert.equal(wordsOf(wrapped, "reachable"), UNROUTED);
  const nothing = "nothing comes back from it";
  const port = "VXLAN (UDP port 8472)";
  assert.equal(wordsOf(wrapped, "unreachable"), `${nothing}, neither by a plain route nor through ${port}`);
  assert.equal(wordsOf({ mode: "vxlan" }, "unreachable"), `${nothing}, through ${port}`);
  assert.equal(
    wordsOf({ mode: "routes" }, "unreachable"),
    `${nothing}, by a plain route (packets with pods' own addresses)`,
  );
  assert.equal(wordsOf({ mode: "wireguard" }, "unreachable"), `${nothing}, through WireGuard (UDP port 51820)`);
});
