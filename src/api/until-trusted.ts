import { CLUSTER_TRUST_NAME, clusterTrusts } from "../model/cluster-trust.ts";
import type { Clock } from "../seams/clock.ts";
import type { Reader } from "../store/transaction.ts";

const MOST_MS = 5_000;
const LOOK_AGAIN_MS = 50;

/** The first server of a cluster writes its CA down within a second or so: whoever asks in that moment waits for it. */
export async function untilTrusted(store: Reader, clock: Clock, signal: AbortSignal): Promise<void> {
  const untilMs = clock.monotonic() + MOST_MS;
  while (!store.get(clusterTrusts, CLUSTER_TRUST_NAME) && clock.monotonic() < untilMs && !signal.aborted)
    await clock.sleep(LOOK_AGAIN_MS);
}
