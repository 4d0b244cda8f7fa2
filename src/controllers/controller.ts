/**
 * A controller brings what is closer to what is wanted, one key at a time. It is level-triggered: `reconcile` reads
 * what is, not what happened, so a restart needs no second path, and being called once too often does no harm.
 */
import type { Kind, StoredObject } from "../model/meta.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Change, Reader, Tx } from "../store/transaction.ts";

export interface ReconcileContext {
  readonly random: Random;
  readonly log: Log;
}

/** Reconcile this key again after so long, even if nothing changes (a backoff that ends, a deadline). */
export interface Requeue {
  readonly afterMs: number;
}

/** Changes of `kind` wake the keys that `keys` names. May look things up in what is committed. */
export interface Waker<T extends StoredObject = StoredObject> {
  readonly kind: Kind<T>;
  readonly keys: (object: T, reader: Reader, change: Change) => readonly string[];
}

/** Keeps the object's type between `kind` and `keys`. */
export function wakes<T extends StoredObject>(kind: Kind<T>, keys: Waker<T>["keys"]): Waker {
  return { kind, keys } as unknown as Waker;
}

export interface Controller {
  readonly name: string;
  readonly wakers: readonly Waker[];
  /** Runs inside a transaction; throwing undoes this key's changes, is logged, and tries again with backoff. */
  reconcile(key: string, tx: Tx, context: ReconcileContext): Requeue | undefined;
}
