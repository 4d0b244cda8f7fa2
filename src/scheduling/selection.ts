import type { PodSelection } from "../model/constraint.ts";
import { type Labels, matchesSelector } from "../model/label-selector.ts";
import { controllerOf } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import { ANNOTATION } from "../model/well-known.ts";
import { compileGlob } from "./patterns.ts";

/** What selections look at in a pod. Pods with equal keys are selected alike, so that each question is asked once per template. */
export interface PodIdentity {
  readonly key: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly workload: string;
  readonly dialect: string;
  /** Pods with the same value are copies of one workload. */
  readonly peers: string | undefined;
  /** Asked to go, still there. */
  readonly terminating: boolean;
}

export interface Selection {
  readonly key: string;
  selects(identity: PodIdentity): boolean;
}

export function identify(pod: Pod): PodIdentity {
  const { namespace = "", labels = {}, annotations = {}, name, deletionTimestamp } = pod.metadata;
  const controller = controllerOf(pod);
  const workload = annotations[ANNOTATION.workload] ?? controller?.name ?? name;
  const dialect = annotations[ANNOTATION.dialect] ?? "kubernetes";
  const terminating = deletionTimestamp !== undefined;
  const named = annotations[ANNOTATION.workload];
  const peers = controller?.uid ?? (named === undefined ? undefined : `${namespace}/${dialect}/${named}`);
  const key = JSON.stringify([namespace, sorted(labels), workload, dialect, peers, terminating]);
  return { key, namespace, labels, workload, dialect, peers, terminating };
}

function sorted(labels: Labels): readonly (readonly string[])[] {
  return Object.keys(labels)
    .sort()
    .map((key) => [key, labels[key] as string]);
}

/**
 * A selection as one pod means it: without namespaces, its own; `["*"]` is all of them. Spread does not count pods that
 * are on their way out (Kubernetes); everything else does, because they still run.
 */
export function compileSelection(
  selection: PodSelection,
  namespace: string,
  { liveOnly }: { readonly liveOnly: boolean },
): Selection {
  if (selection.by === "workload") {
    const { glob, dialect } = selection;
    const matches = compileGlob(glob);
    return {
      key: JSON.stringify(["workload", glob, dialect, liveOnly]),
      selects: (pod) =>
        !(liveOnly && pod.terminating) && (dialect === undefined || dialect === pod.dialect) && matches(pod.workload),
    };
  }
  const namespaces = selection.namespaces?.length ? selection.namespaces : [namespace];
  const everywhere = namespaces.includes("*");
  const { selector } = selection;
  return {
    key: JSON.stringify(["labels", everywhere ? "*" : namespaces, selector, liveOnly]),
    selects: (pod) =>
      !(liveOnly && pod.terminating) &&
      (everywhere || namespaces.includes(pod.namespace)) &&
      matchesSelector(selector, pod.labels),
  };
}

/** The other copies of a workload. */
export function peersSelection(peers: string): Selection {
  return { key: JSON.stringify(["peers", peers]), selects: (pod) => pod.peers === peers && !pod.terminating };
}
