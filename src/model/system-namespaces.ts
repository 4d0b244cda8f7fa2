/** There from the start, and not to be deleted: Kubernetes' own, and one for each further dialect's pods. */
export const SYSTEM_NAMESPACES: readonly string[] = [
  "default",
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "fleet",
  "marathon",
];

/** Those whose pods keep the cluster going. `styr-system` is there when somebody makes it. */
export const CLUSTER_NAMESPACES: readonly string[] = ["kube-system", "styr-system"];
