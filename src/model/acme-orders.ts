import { defineKind, type ObjectMeta } from "./meta.ts";

/** That a certificate was ordered for a host that had none. */
export interface FirstOrder {
  readonly namespace: string;
  readonly atMs: number;
}

/** First orders of late, and whether the authority takes no more: it counts those of an account, whichever server leads. There is one. */
export interface AcmeOrders {
  readonly apiVersion: string;
  readonly kind: "AcmeOrders";
  readonly metadata: ObjectMeta;
  readonly spec: {
    /** Of another authority nothing is counted. */
    readonly directory: string;
    /** Oldest first; those that count no more go with the next one (way-in/first-orders.ts). */
    readonly orders: readonly FirstOrder[];
    /** The authority has said that it takes none until then. */
    readonly rest?: { readonly untilMs: number; readonly why: string };
  };
}

export const acmeOrders = defineKind<AcmeOrders>("AcmeOrders", "styrmann.dev/v1", "cluster", {}, { isHidden: true });

export const ACME_ORDERS_NAME = "first";

export function ordersAt(stored: AcmeOrders | undefined, directory: string): AcmeOrders["spec"] {
  return stored?.spec.directory === directory ? stored.spec : { directory, orders: [] };
}
