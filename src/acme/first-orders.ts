/** What was ordered for hosts that had no certificate is counted in the store: the authority counts, too, whichever server leads. */
import { ACME_ORDERS_NAME, type AcmeOrders, acmeOrders, ordersAt } from "../model/acme-orders.ts";
import type { ClusterSettingsSpec } from "../model/cluster-settings.ts";
import { countedOrders } from "../model/way-in/first-orders.ts";
import type { WorkloadReader } from "../model/workload.ts";
import type { Tx } from "../store/transaction.ts";

type Settings = Pick<ClusterSettingsSpec, "acmeDirectory">;
type Spec = AcmeOrders["spec"];

export function firstOrders(reader: WorkloadReader, { acmeDirectory: directory }: Settings): Spec {
  return ordersAt(reader.get(acmeOrders, ACME_ORDERS_NAME), directory);
}

export function countFirstOrder(tx: Tx, settings: Settings, namespace: string): void {
  const { directory, orders, rest } = firstOrders(tx, settings);
  const counted = [...countedOrders(orders, tx.nowMs), { namespace, atMs: tx.nowMs }];
  // One that began before the authority said so must not take it back.
  write(tx, { directory, orders: counted, ...(rest && rest.untilMs > tx.nowMs ? { rest } : {}) });
}

/** The authority takes no further orders of the account. */
export function restFirstOrders(tx: Tx, settings: Settings, rest: NonNullable<Spec["rest"]>): void {
  write(tx, { ...firstOrders(tx, settings), rest });
}

function write(tx: Tx, spec: Spec): void {
  const before = tx.get(acmeOrders, ACME_ORDERS_NAME);
  if (before) tx.update(acmeOrders, { ...before, spec });
  else
    tx.create<AcmeOrders>(acmeOrders, {
      ...{ apiVersion: acmeOrders.apiVersion, kind: "AcmeOrders", metadata: { name: ACME_ORDERS_NAME }, spec },
    });
}
