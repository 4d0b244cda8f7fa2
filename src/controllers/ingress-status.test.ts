import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ingress, ingresses } from "../model/ingress.ts";
import { kernelKinds } from "../model/kinds.ts";
import { type Node, nodes } from "../model/node.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { ingressStatus } from "./ingress-status.ts";

test("an Ingress names the addresses of the nodes where it comes in, and one of another class what it had", async () => {
  const random = new SeededRandom("ingress");
  const parts = { clock: new ManualClock(), random, log: silentLog };
  const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
  const theirs = { ingress: [{ hostname: "elb.example.org" }] };
  await store.update((tx) => {
    for (const [name, label] of [
      ["n2", "true"],
      ["n1", "true"],
      ["n3", "false"],
    ] as const)
      tx.create<Node>(nodes, {
        ...{ apiVersion: "v1", kind: "Node", metadata: { name, labels: { "styrmann.dev/way-in": label } } },
        ...({
          spec: {},
          status: { nodeInfo: {}, addresses: [{ type: "InternalIP", address: `192.0.2.${name[1]}` }] },
        } as unknown as Pick<Node, "spec" | "status">),
      });
    for (const [name, ingressClassName, loadBalancer] of [
      ["ours", "styrmann", {}],
      ["theirs", "nginx", theirs],
    ] as const)
      tx.create<Ingress>(ingresses, {
        ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name, namespace: "default" } },
        ...{ spec: { ingressClassName }, status: { loadBalancer } },
      });
  });
  const settle = () =>
    store.update((tx) => {
      for (const name of ["ours", "theirs"]) ingressStatus.reconcile(`default/${name}`, tx, { random, log: silentLog });
    });
  const shown = (name: string) => store.get(ingresses, `default/${name}`)?.status.loadBalancer;
  await settle();
  assert.deepEqual(shown("ours"), { ingress: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }] });
  assert.deepEqual(shown("theirs"), theirs);
  await store.update((tx) => {
    tx.remove(nodes, "n1");
    tx.remove(nodes, "n2");
  });
  await settle();
  assert.deepEqual(shown("ours"), {});
  await store.close();
});
