import { ApiError } from "../../../model/errors.ts";
import { type Pod, pods } from "../../../model/pod.ts";
import type { Store } from "../../../store/store.ts";
import type { Change } from "../../../store/transaction.ts";

/** Every change of a pod; who has fallen too far behind is given the whole list anew. Ends with the signal. */
export async function followPods(
  store: Store,
  listeners: { all(list: readonly Pod[]): void; changes(changes: readonly Change[]): void },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const since = store.revision;
    listeners.all(store.list(pods));
    try {
      for await (const changes of store.watch({ kinds: [pods], since, signal })) listeners.changes(changes);
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === "Expired")) throw error;
    }
  }
}
