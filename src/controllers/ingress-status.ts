/** Where Ingresses come in: their status names the addresses of the way-in nodes, as `kubectl get ingress` shows them. */
import { isDeepStrictEqual } from "node:util";
import { type Ingress, ingresses } from "../model/ingress.ts";
import { keyOf } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { isOurs } from "../model/way-in/ingress-routes.ts";
import { isWayIn } from "../model/way-in/route-secrets.ts";
import type { Change, Reader } from "../store/transaction.ts";
import { type Controller, wakes } from "./controller.ts";

export const ingressStatus: Controller = {
  name: "ingress-status",
  wakers: [
    wakes(ingresses, (ingress) => [keyOf(ingress)]),
    wakes(nodes, (_node, reader, change) => (isOther(change) ? reader.list(ingresses).map(keyOf) : [])),
  ],
  reconcile(key, tx) {
    const ingress = tx.get(ingresses, key);
    if (ingress === undefined || ingress.metadata.deletionTimestamp !== undefined) return undefined;
    const loadBalancer = loadBalancerOf(ingress, tx);
    if (!isDeepStrictEqual(ingress.status?.loadBalancer ?? {}, loadBalancer))
      tx.update(ingresses, { ...ingress, status: { ...ingress.status, loadBalancer } });
    return undefined;
  },
};

/** Nodes say something every few seconds: only a way in that comes, goes or moves concerns us. */
function isOther({ object, before, type }: Change): boolean {
  const after = type === "removed" ? undefined : addressIn(object as Node);
  return after !== addressIn(before as Node | undefined);
}

function addressIn(node: Node | undefined): string | undefined {
  if (node === undefined || !isWayIn(node)) return undefined;
  return node.status.addresses.find(({ type }) => type === "InternalIP")?.address;
}

function loadBalancerOf(ingress: Ingress, reader: Reader): object {
  // What another controller has written there is its own.
  if (!isOurs(ingress)) return ingress.status?.loadBalancer ?? {};
  const addresses = reader.list(nodes).flatMap((node) => addressIn(node) ?? []);
  return addresses.length === 0 ? {} : { ingress: [...new Set(addresses)].sort().map((ip) => ({ ip })) };
}
