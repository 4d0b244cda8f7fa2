import { controllerOf, OWNER_INDEX } from "../model/meta.ts";
import { type Pod, pods } from "../model/pod.ts";
import type { Reader } from "./transaction.ts";

/** The other pods of its controller. */
export function peersOf(reader: Reader, pod: Pod): readonly Pod[] {
  const uid = controllerOf(pod)?.uid;
  if (uid === undefined) return [];
  return reader
    .by(pods, OWNER_INDEX, uid)
    .filter((other) => other.metadata.uid !== pod.metadata.uid && controllerOf(other)?.uid === uid);
}
