import assert from "node:assert/strict";
import { test } from "node:test";
import { namespaces } from "../model/namespace.ts";
import { type NetworkPolicy, networkPolicies } from "../model/network-policy.ts";
import { type Pod, pods } from "../model/pod.ts";
import { testPod } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { PeersSource } from "./peers.ts";

/** All pods of every namespace but for one with that label's value. */
function wide(n: number): NetworkPolicy {
  const podSelector = { matchExpressions: [{ key: "tier", operator: "NotIn", values: [`x${n}`] }] } as const;
  return {
    ...{ apiVersion: networkPolicies.apiVersion, kind: "NetworkPolicy" },
    metadata: { namespace: "default", name: `wide-${n}`, uid: "", creationTimestamp: "", resourceVersion: "" },
    spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {}, podSelector }] }] },
  } as unknown as NetworkPolicy;
}

test("a policy that comes or goes has its own group's entries made again, and no other's, however many there are", async () => {
  const [clock, random, log] = [new ManualClock(), new SeededRandom("peers"), silentLog];
  const kinds = [networkPolicies, namespaces, pods];
  const store = await Store.open({ kinds, journal: new MemoryJournal(), clock, random, log });
  await store.update((tx) => {
    for (let n = 0; n < 5; n++) tx.create(networkPolicies, wide(n));
    for (let n = 1; n <= 4; n++) {
      const pod = testPod({ name: `p${n}` });
      const status = { phase: "Running", podIP: `10.42.0.${n}`, hostIP: "192.0.2.1" } as const;
      tx.create(pods, { ...pod, spec: { ...pod.spec, nodeName: `n${n % 2}` }, status } as Pod);
    }
  });
  const told: string[] = [];
  const sink = {
    put: ({ id }: { readonly id: string }) => void told.push(id),
    remove: (_kind: string, id: string) => void told.push(id),
  };
  const source = new PeersSource();
  source.begin(store, sink);
  assert.equal(told.length, 10);
  const groups = () => new Set(told.map((id) => id.split(" on ")[0]));
  const changed = async (write: "create" | "remove") => {
    told.length = 0;
    await store.update((tx) => {
      if (write === "create") tx.create(networkPolicies, wide(9));
      else tx.remove(networkPolicies, "default/wide-9");
    });
    const change = { kind: networkPolicies, key: "default/wide-9", type: "changed", revision: store.revision };
    source.changed([change as never], store, sink);
    assert.deepEqual([told.length, groups().size], [2, 1], write);
  };
  await changed("create");
  await changed("remove");
});
