/** Which Services pick a pod, and which pods a Service picks: by indexes, so that neither looks at a whole namespace. */
import { labelPair } from "../../model/label-pair.ts";
import { matchesLabels } from "../../model/label-selector.ts";
import { keyOf, type StoredObject } from "../../model/meta.ts";
import { isOnLostNode } from "../../model/node-state.ts";
import { isReady, isTerminal, type Pod, pods } from "../../model/pod.ts";
import { type Service, selectsPods, services } from "../../model/service.ts";
import { type Change, type Reader, sameJson } from "../../store/transaction.ts";

/** Sorted by key. */
export function podsOf(reader: Reader, { metadata: { namespace }, spec }: Service): readonly Pod[] {
  const { selector = {} } = spec;
  const [key] = Object.keys(selector).sort();
  if (key === undefined) return [];
  return reader
    .by(pods, "label", labelPair(namespace, key, selector[key] ?? ""))
    .filter(({ metadata }) => matchesLabels(selector, metadata.labels));
}

/** Keys of the Services that pick the pod. */
export function servicesPicking({ metadata }: Pod, reader: Reader): readonly string[] {
  const { namespace, labels = {} } = metadata;
  return Object.entries(labels).flatMap(([key, value]) =>
    reader
      .by(services, "selector", labelPair(namespace, key, value))
      .filter((service) => selectsPods(service) && matchesLabels(service.spec.selector ?? {}, labels))
      .map(keyOf),
  );
}

/** Services that a change of a pod concerns: none, when nothing has changed of what endpoints tell. */
export function servicesTouched(pod: Pod, reader: Reader, change: Change): readonly string[] {
  if (change.type === "modified" && isSameToServices(change.before, change.object)) return [];
  return servicesPicking(pod, reader);
}

function isSameToServices(before: StoredObject | undefined, after: StoredObject): boolean {
  const [a, b] = [before as Pod, after as Pod];
  return (
    isReady(a) === isReady(b) &&
    a.status.podIP === b.status.podIP &&
    (a.metadata.deletionTimestamp === undefined) === (b.metadata.deletionTimestamp === undefined) &&
    isTerminal(a) === isTerminal(b) &&
    isOnLostNode(a) === isOnLostNode(b) &&
    a.spec.nodeName === b.spec.nodeName &&
    sameJson(a.metadata.labels, b.metadata.labels) &&
    (a.spec === b.spec || sameJson(namesIn(a), namesIn(b)))
  );
}

/** What of a pod's spec endpoints carry. */
function namesIn({ spec }: Pod): unknown {
  return [spec.hostname, spec.subdomain, spec.containers.map(({ ports }) => ports)];
}
