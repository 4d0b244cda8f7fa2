/**
 * When a certificate may be ordered for a host that has none. An authority counts the orders of an account, which is the whole
 * cluster's, and refuses all beyond its limit, renewals as well: whoever may write in one namespace may not use that up. Pure.
 */
import type { AcmeOrders, FirstOrder } from "../acme-orders.ts";

const HOUR_MS = 3_600_000;
/** Let's Encrypt takes 300 orders of an account in three hours: a third is left for renewals. */
const WINDOW_MS = 3 * HOUR_MS;
const MOST = 200;

export interface Orderer {
  readonly namespace: string;
  /** The authority has refused this host before. */
  readonly hasFailed: boolean;
}

export interface FirstOrderWait {
  readonly untilMs: number;
  readonly why: string;
}

/** Of each who asks; undefined: at once. */
export function firstOrderWaits(
  { orders, rest }: AcmeOrders["spec"],
  nowMs: number,
): (orderer: Orderer) => FirstOrderWait | undefined {
  // One that is longer was written by a clock that was wrong.
  if (rest && rest.untilMs > nowMs && rest.untilMs <= nowMs + WINDOW_MS) {
    const why = `the authority takes no further orders of anybody (${rest.why})`;
    return () => ({ untilMs: rest.untilMs, why });
  }
  const counted = countedOrders(orders, nowMs);
  const known = new Map<string, number>();
  return (orderer) => {
    const key = `${orderer.namespace} ${orderer.hasFailed}`;
    const untilMs = known.get(key) ?? roomAtMs(counted, orderer, nowMs);
    known.set(key, untilMs);
    return untilMs <= nowMs ? undefined : { untilMs, why: shareWords(orderer) };
  };
}

function shareWords({ namespace, hasFailed }: Orderer): string {
  const which = hasFailed ? "hosts that were refused before" : "hosts that had none";
  return `namespace ${namespace} has had its share of the orders for ${which} in ${WINDOW_MS / HOUR_MS} hours`;
}

/** Those that the authority still counts; none of a time that is not yet, which a clock that was wrong has written. */
export function countedOrders(orders: readonly FirstOrder[], nowMs: number): readonly FirstOrder[] {
  return orders.filter(({ atMs }) => atMs > nowMs - WINDOW_MS && atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
}

function roomAtMs(counted: readonly FirstOrder[], orderer: Orderer, nowMs: number): number {
  let all = counted.length;
  let own = counted.filter(({ namespace }) => namespace === orderer.namespace).length;
  let atMs = nowMs;
  for (const oldest of counted) {
    if (isRoom(all, own, orderer)) break;
    all -= 1;
    if (oldest.namespace === orderer.namespace) own -= 1;
    atMs = oldest.atMs + WINDOW_MS;
  }
  return atMs;
}

/** Half of what the others have left; for hosts that were refused before half of that, so that they keep no new one out. */
function isRoom(all: number, own: number, { hasFailed }: Orderer): boolean {
  const share = (MOST - (all - own)) / 2;
  return all < MOST && own < Math.max(1, Math.floor(hasFailed ? share / 2 : share));
}
