/** Empties namespaces that are going away, and takes them away when they are empty. */
import { type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import { type Namespace, namespaces } from "../model/namespace.ts";
import { deleteObject } from "../store/delete-object.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import { type Controller, type Requeue, wakes } from "./controller.ts";

/** Objects asked to go in one transaction. */
const BATCH = 500;

/** `kinds`: every kind that may live in a namespace; those of the cluster are passed over. */
export function namespaceController(kinds: readonly Kind[]): Controller {
  const contents = kinds.filter(({ namespaced }) => namespaced);
  return {
    name: "namespace",
    wakers: [
      wakes(namespaces, (namespace) => (isTerminating(namespace) ? [keyOf(namespace)] : [])),
      ...contents.map((kind) => wakes(kind, inTerminating)),
    ],
    reconcile(key, tx) {
      const namespace = tx.get(namespaces, key);
      return namespace && isTerminating(namespace) ? empty(tx, namespace, contents) : undefined;
    },
  };
}

function isTerminating({ metadata, status }: Namespace): boolean {
  return metadata.deletionTimestamp !== undefined || status.phase === "Terminating";
}

function inTerminating({ metadata }: StoredObject, reader: Reader): readonly string[] {
  const namespace = reader.get(namespaces, metadata.namespace ?? "");
  return namespace && isTerminating(namespace) ? [namespace.metadata.name] : [];
}

function empty(tx: Tx, namespace: Namespace, contents: readonly Kind[]): Requeue | undefined {
  const { name, finalizers = [] } = namespace.metadata;
  let left = 0;
  let asked = 0;
  for (const kind of contents) {
    for (const object of tx.list(kind, name)) {
      if (object.metadata.deletionTimestamp !== undefined) left++;
      else if (asked >= BATCH) return { afterMs: 0 };
      else {
        asked++;
        if (deleteObject(tx, kind, object)) left++;
      }
    }
  }
  if (left > 0) return undefined;
  // Finalizers of its metadata are somebody else's; "kubernetes" in its spec was this work.
  if (finalizers.length === 0) tx.remove(namespaces, name);
  else tx.update(namespaces, { ...namespace, spec: { ...namespace.spec, finalizers: [] } });
  return undefined;
}
