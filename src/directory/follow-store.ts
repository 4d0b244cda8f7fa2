import { ApiError } from "../model/errors.ts";
import type { Kind } from "../model/meta.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";

export interface FollowOptions {
  readonly store: Store;
  readonly kinds: readonly Kind[];
  /** Reads everything: at first, and again after changes were missed. */
  begin(): void;
  changed(changes: readonly Change[]): void;
  readonly signal: AbortSignal;
}

/** Until `signal` aborts or the store is closed. */
export async function followStore({ store, kinds, begin, changed, signal }: FollowOptions): Promise<void> {
  while (!signal.aborted) {
    const since = store.revision;
    begin();
    try {
      for await (const changes of store.watch({ kinds, since, signal })) changed(changes);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.reason !== "Expired") return;
    }
  }
}
