import assert from "node:assert/strict";
import { test } from "node:test";
import { CLUSTER_NETWORK_NAME, clusterNetworks, networkInForce } from "../model/cluster-network.ts";
import { kernelKinds } from "../model/kinds.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { keepClusterNetwork } from "./keep-cluster-network.ts";

test("ranges chosen at the first start stay, others are refused in words, and the mode may change", async () => {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("ranges"), silentLog];
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log });
  const keep = (wish: Parameters<typeof keepClusterNetwork>[1]) => store.update((tx) => keepClusterNetwork(tx, wish));
  assert.deepEqual(await keep({ clusterRange: "10.200.0.0/16" }), []);
  assert.deepEqual(await keep({}), [], "a start that says nothing asks for nothing");
  const [words = ""] = await keep({ clusterRange: "10.99.0.0/16", mode: "vxlan" });
  assert.match(words, /^the cluster range 10\.200\.0\.0\/16 stays, although 10\.99\.0\.0\/16 was asked for/);
  const { clusterRange, mode } = networkInForce(store.get(clusterNetworks, CLUSTER_NETWORK_NAME));
  assert.deepEqual({ clusterRange, mode }, { clusterRange: "10.200.0.0/16", mode: "vxlan" });
});
