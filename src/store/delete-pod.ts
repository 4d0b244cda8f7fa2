import { type Pod, pods } from "../model/pod.ts";
import { deleteObject } from "./delete-object.ts";
import type { Tx } from "./transaction.ts";

/** Asks for a pod's deletion with grace; the pod leaves the store when its agent says it has stopped. */
export function deletePod(tx: Tx, pod: Pod, graceSeconds?: number): void {
  deleteObject(tx, pods, pod, graceSeconds === undefined ? {} : { graceSeconds });
}
